"""Read what an account has beside its first proof: for its export, and for operators."""

from __future__ import annotations

from menshen.core.factors.outcomes import EnrolledFactor, Holdings
from menshen.core.time import Instant
from menshen.ports.store.store import ReadTx, WriteTx


async def read_holdings(tx: ReadTx | WriteTx, account_number: int, now: Instant) -> Holdings:
    """Return the confirmed factors, passkeys, unused recovery codes and live trusted devices. Four reads."""
    return Holdings(
        factors=[
            EnrolledFactor(stored.kind, stored.confirmed_at, stored.used_at)
            for stored in await tx.factors.list_of(account_number)
            if stored.sealed
        ],
        passkeys=await tx.passkeys.list_of(account_number),
        codes_left=await tx.recovery_codes.left(account_number),
        trusted=await tx.trusted_devices.list_of(account_number, now),
    )
