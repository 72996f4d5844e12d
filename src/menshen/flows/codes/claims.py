"""Take an identifier that somebody proved off the accounts that only claim it."""

from __future__ import annotations

from menshen.core.audit.events import Tag
from menshen.core.identifiers import Identifier
from menshen.core.rules import Origin
from menshen.core.time import Instant
from menshen.flows.audit.recording import admin_event, event_of
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
    """Drop every unproved claim of `identifier` but that of `owner`, each with its event, in the caller's transaction.

    `origin` is None for an administrator. (docs/contracts/core.md section 1.2.)
    """
    for number in await tx.accounts.drop_claims(identifier, except_number=owner, now=now):
        tag, subject = Tag.IDENTIFIER_DROPPED, identifier.canonical
        await tx.audit.append(
            event_of(tag, origin, now, account=number, subject=subject, reason=reason)
            if origin
            else admin_event(tag, now, account=number, subject=subject, reason=reason)
        )
