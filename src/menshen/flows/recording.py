"""Audit events as flows write them: where from, about whom, masked."""

from __future__ import annotations

from menshen.core.events import Event, Tag
from menshen.core.identifiers import masked
from menshen.core.login import Origin
from menshen.core.time import Instant


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
    """An event of a request; `subject` is masked here, so that no caller can forget to."""
    return Event(
        tag=tag,
        at=now,
        account_number=account,
        app_id=origin.app.app_id,
        dialect=origin.house.dialect,
        ip=origin.ip,
        subject=masked(subject) if subject else "",
        reason=reason,
        session_id=session_id,
    )
