"""Audit events as flows write them: where from, about whom, masked."""

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
"""Refusals of one network in an hour that have an event each; of more, each power of two has one for all."""


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
    """Make the event of a request. `subject` is masked here, so no caller can forget to."""
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
    """Make the event of what an administrator does.

    `subject` is masked here. `shown` takes its place where it identifies nobody (the name of an app) or is masked
    already.
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


async def append_refusal(tx: WriteTx, event: Event, origin: Origin, keyring: Keyring) -> None:
    """Append the event of a refusal before anything was judged, which costs its caller nothing.

    A flood of them must not fill the table: past `REFUSALS_KEPT` an event says how many there were, as in
    `too_many_requests*128`. Call it last in a transaction: its counter is the one that everybody waits for.
    """
    key = keyring.counter_key(Tally.REFUSALS, origin.network)
    (count,) = await tx.counters.hit([Hit(key, HOUR, REFUSALS_KEPT)], event.at)
    if count.tries <= REFUSALS_KEPT:
        await tx.audit.append(event)
    elif count.tries.bit_count() == 1:
        await tx.audit.append(replace(event, reason=f"{event.reason}*{count.tries}"))
