"""The outbox and the audit trail in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import msgspec

from menshen.core.audit.events import Event, Tag
from menshen.core.codes.messages import Message, StoredMessage
from menshen.core.time import NEVER, Instant
from menshen.ports.sealing import Sealer
from menshen.storage.sql.compiling import Executor

if TYPE_CHECKING:
    from menshen.storage.sql.statements.journal import JournalStatements

EVENT_FIELDS = tuple(f.name for f in fields(Event))


class SqlOutbox:
    """`menshen.ports.outbox.Outbox` on a connection."""

    def __init__(self, run: Executor, statements: JournalStatements, sealer: Sealer) -> None:
        """Bind the statements to a connection; `sealer` hides recipients and codes."""
        self._run = run
        self._st = statements
        self._sealer = sealer

    def _stored(self, row: Sequence[Any]) -> StoredMessage:
        message = msgspec.json.decode(self._sealer.open(bytes(row[1])), type=Message)
        return StoredMessage(row[0], message, row[2], row[3])

    async def list_all(self, *, limit: int = 1000) -> Sequence[StoredMessage]:
        rows = await self._run.all(self._st.newest, {"most": limit})
        return [self._stored(row) for row in reversed(rows)]

    async def due(self, now: Instant, *, limit: int = 20) -> Sequence[StoredMessage]:
        return [self._stored(row) for row in await self._run.all(self._st.due, {"now": now, "most": limit})]

    async def put(self, message: Message) -> int:
        values = {
            "channel": message.channel.value,
            "template": message.template.value,
            "body_sealed": self._sealer.seal(msgspec.json.encode(message).decode()),
            "created_at": message.created_at,
            "sent_at": NEVER,
            "failures": 0,
            "next_try_at": message.created_at,
        }
        row = await self._run.one(self._st.put, values)
        return int(row[0]) if row else 0

    async def claim(self, message_id: int, now: Instant, until: Instant) -> bool:
        return await self._run.one(self._st.claim, {"which": message_id, "now": now, "until": until}) is not None

    async def mark_sent(self, message_id: int, now: Instant) -> None:
        await self._run.run(self._st.sent, {"which": message_id, "now": now})

    async def mark_failed(self, message_id: int, retry_at: Instant) -> None:
        await self._run.run(self._st.failed, {"which": message_id, "until": retry_at})


class SqlAudit:
    """`menshen.ports.audit.Audit` on a connection."""

    def __init__(self, run: Executor, statements: JournalStatements) -> None:
        """Bind the statements to a connection."""
        self._run = run
        self._st = statements

    async def append(self, event: Event) -> None:
        await self._run.run(self._st.append, _event_row(event))

    async def append_all(self, events: Sequence[Event]) -> None:
        await self._run.many(self._st.append, [_event_row(event) for event in events])

    async def list_events(
        self, *, account_number: int | None = None, since: Instant | None = None, limit: int = 1000
    ) -> Sequence[Event]:
        values: dict[str, Any] = {"since": since or 0, "most": limit}
        statement = self._st.events
        if account_number is not None:
            statement, values["account"] = self._st.events_of, account_number
        rows = await self._run.all(statement, values)
        return [Event(Tag(row[0]), *row[1:]) for row in reversed(rows)]


def _event_row(event: Event) -> dict[str, Any]:
    return {name: getattr(event, name) for name in EVENT_FIELDS}
