"""Keep the outbox in SQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

import msgspec

from menshen.adapters.storage.changes import Changes
from menshen.adapters.storage.sql.repositories.executor import Executor
from menshen.adapters.storage.sql.statements.reader import Statement, Statements
from menshen.core.delivery.messages import (
    NO_NEXT_TRY,
    Channel,
    Message,
    MessageState,
    StoredMessage,
    Template,
    Try,
)
from menshen.core.delivery.verdicts import Verdict
from menshen.core.time import HOUR, NEVER, Instant
from menshen.ports.sealing import SealBroken, Sealer

_WAITING_OPENED: Final = 200
_UNDER_WAY: Final = NO_NEXT_TRY[MessageState.SENDING]
_CHANNELS: Final = frozenset(Channel)
_TEMPLATES: Final = frozenset(Template)
_UNKNOWN: Final = NO_NEXT_TRY[MessageState.UNKNOWN]


def _due(now: Instant) -> dict[str, int]:
    return {"now": now, "unlikely": now + HOUR}


def _unopened(channel: str, template: str, created_at: Instant) -> Message:
    """Return what is known of a message that cannot be opened.

    Where a newer program wrote it, its channel or template may be unknown: a known one of the same kind stands for it.
    """
    if template not in _TEMPLATES:
        template = Template.CODE_LOGIN if template.startswith("code_") else Template.ACCOUNT_DELETED
    return Message(Channel(channel if channel in _CHANNELS else Channel.SMS), "", Template(template), "", created_at)


def _values(tried: Try) -> dict[str, Any]:
    return {
        "message_id": tried.message_id,
        "sender": tried.sender,
        "tried_at": tried.at,
        "under_way": _UNDER_WAY,
        "unknown": _UNKNOWN,
    }


def _abandoned(channel: Channel, sender: str, before: Instant) -> dict[str, Any]:
    which = {"channel": channel.value, "sender": sender, "before": before}
    return which | {"unlikely": before + HOUR, "under_way": _UNDER_WAY}


class OutboxStatements(Statements, file="outbox"):
    """Declare the statements of `outbox.sql`."""

    newest: Statement
    get: Statement
    find_receipt: Statement
    due: Statement
    waiting: Statement
    backlog: Statement
    under_way: Statement
    put: Statement
    claim: Statement
    mark_sent: Statement
    mark_failed: Statement
    mark_unknown: Statement
    postpone: Statement
    shelve: Statement
    shelve_abandoned: Statement
    free_abandoned: Statement
    note_outcome: Statement
    drop_waiting: Statement


class SqlOutbox:
    """Implement `menshen.ports.store.outbox.Outbox` on a connection."""

    def __init__(self, run: Executor, statements: OutboxStatements, sealer: Sealer, changes: Changes) -> None:
        """Bind the statements to a connection.

        `sealer` hides recipients and codes, `changes` collects that a message was put.
        """
        self._run = run
        self._st = statements
        self._sealer = sealer
        self._changes = changes

    def _stored(self, row: Sequence[Any]) -> StoredMessage:
        number, sealed, channel, template, created_at, *noted = row
        readable = True
        try:
            message = msgspec.json.decode(self._sealer.open(bytes(sealed)), type=Message)
        except (SealBroken, msgspec.MsgspecError):
            readable, message = False, _unopened(channel, template, created_at)
        sent_at, failures, next_try_at, sender, tried_at, verdict, asked, receipt, parts, outcome, superseded = noted
        return StoredMessage(
            number,
            message,
            sent_at,
            failures,
            next_try_at,
            sender,
            tried_at,
            verdict,
            tuple(asked.split()),
            receipt,
            parts,
            outcome,
            superseded=bool(superseded),
            readable=readable,
        )

    async def list_all(self, *, limit: int = 1000) -> Sequence[StoredMessage]:
        rows = await self._run.all(self._st.newest, {"most": limit})
        return [self._stored(row) for row in reversed(rows)]

    async def get(self, message_id: int) -> StoredMessage | None:
        row = await self._run.one(self._st.get, {"message_id": message_id})
        return self._stored(row) if row else None

    async def find_receipt(self, sender: str, receipt: str) -> StoredMessage | None:
        row = await self._run.one(self._st.find_receipt, {"sender": sender, "receipt": receipt}) if receipt else None
        return self._stored(row) if row else None

    async def due(self, channel: Channel, now: Instant, *, limit: int = 20, skip: int = 0) -> Sequence[StoredMessage]:
        values = _due(now) | {"channel": channel.value, "most": limit, "skip": skip}
        return [self._stored(row) for row in await self._run.all(self._st.due, values)]

    async def backlog(self) -> tuple[int, Instant]:
        row = await self._run.one(self._st.backlog, {})
        return (int(row[0]), Instant(row[1])) if row else (0, NEVER)

    async def under_way(self, channel: Channel) -> Collection[str]:
        rows = await self._run.all(self._st.under_way, {"channel": channel.value, "under_way": _UNDER_WAY})
        return [row[0] for row in rows]

    async def put(self, message: Message, *, topic: bytes = b"") -> int:
        values = {
            "channel": message.channel.value,
            "template": message.template.value,
            "body_sealed": self._sealer.seal(msgspec.json.encode(message).decode()),
            "created_at": message.created_at,
            "has_code": int(bool(message.code)),
            "topic": topic or None,
        }
        row = await self._run.one(self._st.put, values)
        self._changes.messages = True
        return int(row[0]) if row else 0

    async def drop_waiting(self, subjects: Collection[str]) -> int:
        if not subjects:
            return 0
        stored = [self._stored(row) for row in await self._run.all(self._st.waiting, {"most": _WAITING_OPENED})]
        theirs = [one.message_id for one in stored if one.readable and one.message.to in subjects]
        gone = 0
        for message_id in sorted(theirs):
            gone += await self._run.run(self._st.drop_waiting, {"message_id": message_id})
        return gone

    async def claim(self, tried: Try, now: Instant | None = None) -> bool:
        return await self._run.one(self._st.claim, _values(tried) | _due(now or tried.at)) is not None

    async def mark_sent(self, tried: Try, now: Instant, *, receipt: str = "", parts: int = 1) -> bool:
        values = {"now": now, "verdict": Verdict.ACCEPTED.value, "receipt": receipt, "parts": parts}
        return await self._run.run(self._st.mark_sent, _values(tried) | values) > 0

    async def mark_failed(
        self, tried: Try, verdict: Verdict, next_try: Instant | MessageState, asked: Sequence[str] = ()
    ) -> bool:
        next_try_at = NO_NEXT_TRY[next_try] if isinstance(next_try, MessageState) else next_try
        values = {"next_try_at": next_try_at, "verdict": verdict.value, "asked": " ".join(asked)}
        return await self._run.run(self._st.mark_failed, _values(tried) | values) > 0

    async def mark_unknown(self, tried: Try) -> bool:
        return await self._run.run(self._st.mark_unknown, _values(tried) | {"verdict": Verdict.UNKNOWN.value}) > 0

    async def postpone(self, message_id: int, until: Instant, asked: Sequence[str] = ()) -> bool:
        values = {"message_id": message_id, "next_try_at": until, "asked": " ".join(asked)}
        return await self._run.run(self._st.postpone, values) > 0

    async def shelve(self, message_id: int, state: MessageState, verdict: str = "") -> bool:
        values = {"message_id": message_id, "next_try_at": NO_NEXT_TRY[state], "verdict": verdict}
        return await self._run.one(self._st.shelve, values) is not None

    async def shelve_abandoned(self, channel: Channel, sender: str, before: Instant) -> Sequence[int]:
        values = _abandoned(channel, sender, before) | {"unknown": _UNKNOWN, "verdict": Verdict.UNKNOWN.value}
        return [int(row[0]) for row in await self._run.all(self._st.shelve_abandoned, values)]

    async def free_abandoned(self, channel: Channel, sender: str, before: Instant, now: Instant) -> Sequence[Try]:
        values = _abandoned(channel, sender, before) | {"now": now}
        rows = await self._run.all(self._st.free_abandoned, values)
        return [Try(row[0], sender, row[1]) for row in rows]

    async def note_outcome(self, sender: str, receipt: str, outcome: str) -> bool:
        values = {"sender": sender, "receipt": receipt, "outcome": outcome}
        return bool(receipt) and await self._run.one(self._st.note_outcome, values) is not None
