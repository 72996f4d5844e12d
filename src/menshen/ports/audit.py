"""The audit trail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from menshen.core.audit.events import Event
from menshen.core.time import Instant


class AuditReader(Protocol):
    """Looking."""

    async def list_events(
        self, *, account_number: int | None = None, since: Instant | None = None, limit: int = 1000
    ) -> Sequence[Event]:
        """The newest `limit` events, oldest first."""
        ...


class Audit(AuditReader, Protocol):
    """Writing: only ever appended to, in the decision's transaction."""

    async def append(self, event: Event) -> None: ...

    async def append_all(self, events: Sequence[Event]) -> None:
        """Several, in their order."""
        ...
