"""One-time codes in SQL: each verb one statement, so no two racers see the same code open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from menshen.core.codes.one_time_codes import CodeChallenge, CodeKey, Taken
from menshen.core.time import Instant
from menshen.storage.sql.compiling import Executor, Statement

if TYPE_CHECKING:
    from menshen.storage.sql.statements.codes import CodeStatements


def _named(key: CodeKey) -> dict[str, Any]:
    return {"app": key.app_id, "purpose": key.purpose.value, "subject": key.subject}


class SqlCodes:
    """`menshen.ports.store.codes.Codes` on a connection."""

    def __init__(self, run: Executor, statements: CodeStatements) -> None:
        """Bind the statements to a connection."""
        self._run = run
        self._st = statements

    async def captcha_of(self, key: CodeKey) -> bytes:
        row = await self._run.one(self._st.captcha, _named(key))
        return bytes(row[0]) if row else b""

    async def was_sent(self, key: CodeKey) -> bool:
        return await self._run.one(self._st.captcha, _named(key)) is not None

    async def put(self, challenge: CodeChallenge) -> None:
        values = {
            "app_id": challenge.key.app_id,
            "purpose": challenge.key.purpose.value,
            "subject": challenge.key.subject,
            "code_mac": challenge.code_mac,
            "captcha": challenge.captcha,
            "tries": 0,
            "created_at": challenge.created_at,
            "expires_at": challenge.expires_at,
            "verified_at": 0,
            "spent_at": 0,
        }
        await self._run.run(self._st.put, values)

    async def take(self, key: CodeKey, macs: Sequence[bytes], now: Instant) -> Taken:
        return await self._attempt(self._st.take, key, macs, {"now": now})

    async def verify(self, key: CodeKey, macs: Sequence[bytes], now: Instant, *, by: bytes = b"") -> Taken:
        return await self._attempt(self._st.verify, key, macs, {"now": now, "by": by})

    async def _attempt(
        self, statement: Statement, key: CodeKey, macs: Sequence[bytes], more: Mapping[str, Any]
    ) -> Taken:
        row = await self._run.one(
            statement, {**_named(key), "mac": macs[0], "older_mac": macs[min(1, len(macs) - 1)], **more}
        )
        if row is None:
            await self._drop_dead_workers(key, more["now"])
            return Taken.DEAD
        return Taken.MATCHED if row[0] else Taken.WRONG

    async def consume(self, key: CodeKey, now: Instant, *, by: bytes = b"") -> bool:
        if await self._run.one(self._st.consume, {**_named(key), "now": now, "by": by}) is not None:
            return True
        await self._drop_dead_workers(key, now)
        return False

    async def _drop_dead_workers(self, key: CodeKey, now: Instant) -> None:
        """Mark an expired code as spent: who was told so once must not find it good when the clock goes back."""
        await self._run.run(self._st.bury, {**_named(key), "now": now})

    async def drop(self, subject: str) -> None:
        await self._run.run(self._st.drop, {"subject": subject})
