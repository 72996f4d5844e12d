"""Remove a verified identifier from the accounts that have it unverified."""

from __future__ import annotations

from menshen.core.audit.events import Tag
from menshen.core.identifiers import Identifier
from menshen.core.rules import Origin
from menshen.core.time import Instant
from menshen.flows.audit.recording import event_by
from menshen.ports.store.store import WriteTx


async def drop_claims(
    tx: WriteTx,
    identifier: Identifier,
    origin: Origin | None,
    now: Instant,
    *,
    owner: int | None = None,
    reason: str = "",
) -> None:
    """Remove the unverified `identifier` from all accounts but `owner`, in the caller's transaction.

    Each removal has its event. `origin` is None for an administrator. (docs/contracts/core.md section 1.2.)
    """
    for number in await tx.accounts.drop_claims(identifier, except_number=owner, now=now):
        subject = identifier.canonical
        await tx.audit.append(
            event_by(origin, Tag.IDENTIFIER_DROPPED, now, account=number, subject=subject, reason=reason)
        )
