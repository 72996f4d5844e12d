"""Draw and store recovery codes; an account gets them with its first factor. (docs/contracts/factors.md section 7.)"""

from __future__ import annotations

from menshen.core.factors.recovery_codes import HOW_MANY, RANDOM_BYTES, mac_of, read_code, spell_code
from menshen.core.keys import Keyring
from menshen.core.time import Instant
from menshen.flows.gates.holding import has_factor
from menshen.ports.store.store import WriteTx
from menshen.ports.world import World


def draw_codes(world: World) -> tuple[str, ...]:
    """Draw a set of codes, before the transaction that may store it."""
    return tuple(spell_code(world.token_bytes(RANDOM_BYTES)) for _ in range(HOW_MANY))


async def codes_of_first_factor(
    tx: WriteTx, account_number: int, codes: tuple[str, ...], *, keyring: Keyring, now: Instant
) -> tuple[str, ...]:
    """Store `codes` if the account had no factor, passkey and unused code before. Return the stored ones, else ().

    Call it in the transaction that adds the factor, before that is added. The account is held.
    """
    if await tx.recovery_codes.left(account_number) or await has_factor(tx, account_number):
        return ()
    await keep_codes(tx, account_number, codes, keyring=keyring, now=now)
    return codes


async def keep_codes(
    tx: WriteTx, account_number: int, codes: tuple[str, ...], *, keyring: Keyring, now: Instant
) -> None:
    """Store a set of drawn codes in place of the old one."""
    macs = [mac_of(keyring, account_number, read_code(code) or "") for code in codes]
    await tx.recovery_codes.replace(account_number, macs, now)
