"""Make audit events with their source and their masked subject, and append refusals."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from menshen.core.audit.events import ADMIN, Event, Tag
from menshen.core.gates.limits import Hit, Tally
from menshen.core.identifiers import masked
from menshen.core.keys import Keyring
from menshen.core.rules import Origin
from menshen.core.time import HOUR, Instant
from menshen.ports.store.store import WriteTx

REFUSALS_KEPT: Final = 100
"""Refusals of one network in an hour that get an event each. Then only each power of two gets one, with the count."""


def event_of(
    tag: Tag,
    origin: Origin,
    now: Instant,
    *,
    account: int | None = None,
    subject: str = "",
    reason: str = "",
    session_id: str = "",
) -> Event:
    """Make the event of a request. `subject` is masked here, so that no caller can forget it."""
    return Event(
        tag=tag,
        at=now,
        account_number=account,
        app_id=origin.app.app_id,
        source=origin.rules.dialect,
        ip=origin.ip,
        subject=masked(subject) if subject else "",
        reason=reason,
        session_id=session_id,
        request_id=origin.request_id,
    )


def admin_event(
    tag: Tag,
    now: Instant,
    *,
    account: int | None = None,
    app_id: int | None = None,
    subject: str = "",
    shown: str = "",
    reason: str = "",
    session_id: str = "",
) -> Event:
    """Make the event of an administrator's action.

    `subject` is masked here. `shown` replaces it and is stored unchanged: a text that identifies no person (the name of
    an app) or is masked already.
    """
    return Event(
        tag=tag,
        at=now,
        account_number=account,
        app_id=app_id,
        source=ADMIN,
        subject=masked(subject) if subject else shown,
        reason=reason,
        session_id=session_id,
    )


def event_by(
    origin: Origin | None,
    tag: Tag,
    now: Instant,
    *,
    account: int | None = None,
    subject: str = "",
    reason: str = "",
    session_id: str = "",
) -> Event:
    """Make the event of a request as `event_of`, or of an administrator as `admin_event` if `origin` is None."""
    if origin is None:
        return admin_event(tag, now, account=account, subject=subject, reason=reason, session_id=session_id)
    return event_of(tag, origin, now, account=account, subject=subject, reason=reason, session_id=session_id)


async def append_refusal(tx: WriteTx, event: Event, origin: Origin, keyring: Keyring) -> None:
    """Append the event of a refusal before any check of a secret. Such a refusal costs the client nothing.

    A flood of refusals must not fill the table. After `REFUSALS_KEPT` only each power of two gets an event, with the
    count, as in `too_many_requests*128`. Call it last in a transaction, because its counter has the most contention.
    """
    key = keyring.counter_key(Tally.REFUSALS, origin.widest)
    (count,) = await tx.counters.hit([Hit(key, HOUR, REFUSALS_KEPT)], event.at)
    if count.tries <= REFUSALS_KEPT:
        await tx.audit.append(event)
    elif count.tries.bit_count() == 1:
        await tx.audit.append(replace(event, reason=f"{event.reason}*{count.tries}"))


def refusals_of(reason: str) -> tuple[str, int]:
    """Return the reason of an event without its count, and the number of refusals that the event stands for.

    That of `*512` stands for those since `*256`, that of `*128` for those since the last that had an event each.
    """
    word, mark, count = reason.rpartition("*")
    if not mark or not count.isdecimal():
        return reason, 1
    return word, int(count) - max(REFUSALS_KEPT, int(count) // 2)
