"""Keep one-time codes in SQL. Each verb is one statement, so two racers never see the same code open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from menshen.adapters.storage.sql.repositories.executor import Executor
from menshen.adapters.storage.sql.statements.reader import Statement, Statements
from menshen.core.codes.one_time_codes import TRIES, CodeChallenge, CodeKey, Taken
from menshen.core.time import Instant


def _named(key: CodeKey) -> dict[str, Any]:
    return {"app_id": key.app_id, "purpose": key.purpose.value, "subject": key.subject}


class CodeStatements(Statements, file="codes"):
    """Declare the statements of `codes.sql`."""

    captcha_of: Statement
    put: Statement
    take: Statement
    verify: Statement
    consume: Statement
    spend_expired: Statement
    drop: Statement


class SqlCodes:
    """Implement `menshen.ports.store.codes.Codes` on a connection."""

    def __init__(self, run: Executor, statements: CodeStatements) -> None:
        """Bind the statements to a connection."""
        self._run = run
        self._st = statements

    async def captcha_of(self, key: CodeKey) -> bytes:
        row = await self._run.one(self._st.captcha_of, _named(key))
        return bytes(row[0]) if row else b""

    async def was_sent(self, key: CodeKey) -> bool:
        return await self._run.one(self._st.captcha_of, _named(key)) is not None

    async def put(self, challenge: CodeChallenge) -> None:
        values = {
            **_named(challenge.key),
            "code_mac": challenge.code_mac,
            "captcha": challenge.captcha,
            "created_at": challenge.created_at,
            "expires_at": challenge.expires_at,
        }
        await self._run.run(self._st.put, values)

    async def take(self, key: CodeKey, macs: Sequence[bytes], now: Instant) -> Taken:
        return await self._attempt(self._st.take, key, macs, {"now": now})

    async def verify(self, key: CodeKey, macs: Sequence[bytes], now: Instant, *, by: bytes = b"") -> Taken:
        return await self._attempt(self._st.verify, key, macs, {"now": now, "by": by})

    async def _attempt(
        self, statement: Statement, key: CodeKey, macs: Sequence[bytes], more: Mapping[str, Any]
    ) -> Taken:
        older_mac = macs[min(1, len(macs) - 1)]
        values = {**_named(key), "mac": macs[0], "older_mac": older_mac, "most_tries": TRIES, **more}
        row = await self._run.one(statement, values)
        if row is None:
            await self._spend_expired(key, more["now"])
            return Taken.DEAD
        return Taken.MATCHED if row[0] else Taken.WRONG

    async def consume(self, key: CodeKey, now: Instant, *, by: bytes = b"") -> bool:
        if await self._run.one(self._st.consume, {**_named(key), "now": now, "by": by}) is not None:
            return True
        await self._spend_expired(key, now)
        return False

    async def _spend_expired(self, key: CodeKey, now: Instant) -> None:
        """Mark an expired code as spent: once reported as expired, it must stay so when the clock goes back."""
        await self._run.run(self._st.spend_expired, {**_named(key), "now": now})

    async def drop(self, subject: str) -> None:
        await self._run.run(self._st.drop, {"subject": subject})
