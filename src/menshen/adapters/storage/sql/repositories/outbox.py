"""Keep the outbox in SQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

import msgspec

from menshen.adapters.storage.sql.repositories.executor import Executor
from menshen.adapters.storage.sql.statements.reader import Statement, Statements
from menshen.core.delivery.messages import Message, StoredMessage
from menshen.core.time import HOUR, Instant
from menshen.ports.sealing import SealBroken, Sealer

_WAITING_OPENED: Final = 200


def _due(now: Instant) -> dict[str, int]:
    return {"now": now, "unlikely": now + HOUR}


class OutboxStatements(Statements, file="outbox"):
    """Declare the statements of `outbox.sql`."""

    newest: Statement
    due: Statement
    waiting: Statement
    put: Statement
    claim: Statement
    mark_sent: Statement
    mark_failed: Statement
    drop_waiting: Statement


class SqlOutbox:
    """Implement `menshen.ports.store.outbox.Outbox` on a connection."""

    def __init__(self, run: Executor, statements: OutboxStatements, sealer: Sealer) -> None:
        """Bind the statements to a connection; `sealer` hides recipients and codes."""
        self._run = run
        self._st = statements
        self._sealer = sealer

    def _stored(self, row: Sequence[Any]) -> StoredMessage:
        message = msgspec.json.decode(self._sealer.open(bytes(row[1])), type=Message)
        return StoredMessage(row[0], message, *row[2:])

    async def list_all(self, *, limit: int = 1000) -> Sequence[StoredMessage]:
        rows = await self._run.all(self._st.newest, {"most": limit})
        return [self._stored(row) for row in reversed(rows)]

    async def due(self, now: Instant, *, limit: int = 20) -> Sequence[StoredMessage]:
        return [self._stored(row) for row in await self._run.all(self._st.due, _due(now) | {"most": limit})]

    async def put(self, message: Message) -> int:
        values = {
            "channel": message.channel.value,
            "template": message.template.value,
            "body_sealed": self._sealer.seal(msgspec.json.encode(message).decode()),
            "created_at": message.created_at,
            "has_code": int(bool(message.code)),
        }
        row = await self._run.one(self._st.put, values)
        return int(row[0]) if row else 0

    async def drop_waiting(self, subjects: Collection[str]) -> int:
        if not subjects:
            return 0
        theirs = []
        for row in await self._run.all(self._st.waiting, {"most": _WAITING_OPENED}):
            try:
                if self._stored(row).message.to in subjects:
                    theirs.append(row[0])
            except SealBroken:
                # No worker can send it either.
                continue
        gone = 0
        for message_id in sorted(theirs):
            gone += await self._run.run(self._st.drop_waiting, {"message_id": message_id})
        return gone

    async def claim(self, message_id: int, now: Instant, until: Instant) -> bool:
        return await self._run.one(self._st.claim, _due(now) | {"message_id": message_id, "until": until}) is not None

    async def mark_sent(self, message_id: int, now: Instant) -> None:
        await self._run.run(self._st.mark_sent, {"message_id": message_id, "now": now})

    async def mark_failed(self, message_id: int, retry_at: Instant) -> None:
        await self._run.run(self._st.mark_failed, {"message_id": message_id, "retry_at": retry_at})
