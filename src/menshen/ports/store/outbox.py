"""Store messages to send, and (for the outbox sender) to read. Receivers and codes are encrypted."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from menshen.core.delivery.messages import Message, StoredMessage
from menshen.core.time import Instant


class OutboxReader(Protocol):
    """Read messages."""

    async def list_all(self, *, limit: int = 1000) -> Sequence[StoredMessage]:
        """Return the newest `limit` messages, oldest first."""
        ...

    async def due(self, now: Instant, *, limit: int = 20) -> Sequence[StoredMessage]:
        """Return the unsent messages whose next attempt is due, oldest first."""
        ...


class Outbox(OutboxReader, Protocol):
    """Change messages."""

    async def put(self, message: Message) -> int:
        """Queue a message, in the transaction that it reports on. Return its number."""
        ...

    async def drop_waiting(self, subjects: Collection[str]) -> int:
        """Delete the messages to these phones and emails that still wait, and return their number.

        The receivers are encrypted. A transaction is short: the newest 200 that wait are opened, and older ones stay.
        """
        ...

    async def claim(self, message_id: int, now: Instant, until: Instant) -> bool:
        """Reserve a message for sending until `until`. Exactly one of all workers gets true."""
        ...

    async def mark_sent(self, message_id: int, now: Instant) -> None: ...

    async def mark_failed(self, message_id: int, retry_at: Instant) -> None:
        """Count a failure. The next attempt is due at `retry_at`."""
        ...
