"""Store the audit log."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from menshen.core.audit.events import Event, Tag
from menshen.core.audit.filters import EVERY_EVENT, EventCount, EventFilter


class AuditReader(Protocol):
    """Read events."""

    async def list_events(self, wanted: EventFilter = EVERY_EVENT, *, limit: int = 1000) -> Sequence[Event]:
        """Return the newest `limit` events that are wanted, oldest first."""
        ...

    async def list_of_owner(self, account_number: int, tags: Collection[Tag], *, limit: int) -> Sequence[Event]:
        """Return the newest `limit` events of an account that have one of `tags`, oldest first."""
        ...

    async def count_events(self, wanted: EventFilter = EVERY_EVENT) -> Sequence[EventCount]:
        """Count the events that are wanted by tag, address and reason, in no order."""
        ...


class Audit(AuditReader, Protocol):
    """Append events, in the transaction of the decision. Events are never changed."""

    async def append(self, event: Event) -> None: ...

    async def append_all(self, events: Sequence[Event]) -> None:
        """Append several events, in their order."""
        ...
