"""Store messages to send, what became of each try, and what vendors reported. Receivers and codes are encrypted.

Each change is one atomic statement. What a worker notes about its own try changes nothing once the row holds another
try. (docs/contracts/vendors.md section 2.)
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from menshen.core.delivery.messages import Channel, Message, MessageState, StoredMessage, Try
from menshen.core.delivery.verdicts import Verdict
from menshen.core.time import Instant


class OutboxReader(Protocol):
    """Read messages. One that no key opens comes back as not `readable`."""

    async def list_all(self, *, limit: int = 1000) -> Sequence[StoredMessage]:
        """Return the newest `limit` messages, oldest first."""
        ...

    async def get(self, message_id: int) -> StoredMessage | None:
        """Return one message, None where there is none of that number."""
        ...

    async def find_receipt(self, sender: str, receipt: str) -> StoredMessage | None:
        """Return the message that a sender's vendor calls `receipt`, the newest where it gave a number twice."""
        ...

    async def due(self, channel: Channel, now: Instant, *, limit: int = 20, skip: int = 0) -> Sequence[StoredMessage]:
        """Return the unsent messages whose next attempt is due: codes, then codes that failed, then notices.

        Among those, the oldest come first; the first `skip` are left out. Each says whether a newer code superseded it.
        """
        ...

    async def backlog(self) -> tuple[int, Instant]:
        """Return how many messages wait or are tried again, and when the oldest of them was made (0: none)."""
        ...

    async def under_way(self, channel: Channel) -> Collection[str]:
        """Return the senders that have a message at this moment, by what workers noted."""
        ...


class Outbox(OutboxReader, Protocol):
    """Change messages."""

    async def put(self, message: Message, *, topic: bytes = b"") -> int:
        """Queue a message, in the transaction that it reports on. Return its number.

        A later message of the same `topic` supersedes it while it waits; b"" is no topic.
        """
        ...

    async def drop_waiting(self, subjects: Collection[str]) -> int:
        """Delete the messages to these phones and emails that still wait, and return their number.

        The receivers are encrypted. A transaction is short: the newest 200 that wait are opened, and older ones stay.
        """
        ...

    async def claim(self, tried: Try, now: Instant | None = None) -> bool:
        """Note a try, which reserves a message that is due at `now` (None: when the try began).

        Exactly one of all workers gets true.

        False too for a message that is not due, that a newer code superseded, or whose code an older epoch issued.
        """
        ...

    async def mark_sent(self, tried: Try, now: Instant, *, receipt: str = "", parts: int = 1) -> bool:
        """Note that the try was accepted, also where it was given up as unknown meanwhile. False: it is not its try."""
        ...

    async def mark_failed(
        self, tried: Try, verdict: Verdict, next_try: Instant | MessageState, asked: Sequence[str] = ()
    ) -> bool:
        """Count a try that sent nothing. The next is due at `next_try`, or never, for that state's reason.

        `asked` names the senders that are not asked before a pause, with `!` behind those that are not asked again.
        False: it is not its try.
        """
        ...

    async def mark_unknown(self, tried: Try) -> bool:
        """Note that the try may have sent it: it is never sent again. False: it is not its try."""
        ...

    async def postpone(self, message_id: int, until: Instant, asked: Sequence[str] = ()) -> bool:
        """Make a message that waits due at `until`. `asked` as in `mark_failed`. False: it does not wait any more."""
        ...

    async def shelve(self, message_id: int, state: MessageState, verdict: str = "") -> bool:
        """End a message that waits, for the reason of `state`. False: it does not wait any more."""
        ...

    async def shelve_abandoned(self, channel: Channel, sender: str, before: Instant) -> Sequence[int]:
        """End as unknown what a worker began to hand over at `before` or earlier and never reported on.

        The same holds for what it began an hour or more after `before`: its clock was ahead.
        """
        ...

    async def free_abandoned(self, channel: Channel, sender: str, before: Instant, now: Instant) -> Sequence[Try]:
        """Make such messages of a sender that drops what it has already wait again, and return their tries."""
        ...

    async def note_outcome(self, sender: str, receipt: str, outcome: str) -> bool:
        """Note what a receipt says of a message: its first word stays. False: unknown, or it has an outcome."""
        ...
