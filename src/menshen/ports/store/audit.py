"""Store the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from menshen.core.audit.events import Event
from menshen.core.time import Instant


class AuditReader(Protocol):
    """Read events."""

    async def list_events(
        self, *, account_number: int | None = None, since: Instant | None = None, limit: int = 1000
    ) -> Sequence[Event]:
        """Return the newest `limit` events, oldest first."""
        ...


class Audit(AuditReader, Protocol):
    """Append events, in the transaction of the decision. Events are never changed."""

    async def append(self, event: Event) -> None: ...

    async def append_all(self, events: Sequence[Event]) -> None:
        """Append several events, in their order."""
        ...
