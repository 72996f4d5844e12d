"""Messages waiting to leave, and (for the outbox sender) kept to be read. Recipients and codes are sealed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from menshen.core.codes.messages import Message, StoredMessage
from menshen.core.time import Instant


class OutboxReader(Protocol):
    """Looking."""

    async def list_all(self, *, limit: int = 1000) -> Sequence[StoredMessage]:
        """The newest `limit` messages, oldest first."""
        ...

    async def due(self, now: Instant, *, limit: int = 20) -> Sequence[StoredMessage]:
        """Messages that have not left and whose next try has come, oldest first."""
        ...


class Outbox(OutboxReader, Protocol):
    """Changing."""

    async def put(self, message: Message) -> int:
        """Queue it, in the transaction of what it tells about; its number."""
        ...

    async def claim(self, message_id: int, now: Instant, until: Instant) -> bool:
        """Take it for sending until then; True for exactly one of any racing workers."""
        ...

    async def mark_sent(self, message_id: int, now: Instant) -> None: ...

    async def mark_failed(self, message_id: int, retry_at: Instant) -> None:
        """Count a failure and try again from `retry_at`."""
        ...
