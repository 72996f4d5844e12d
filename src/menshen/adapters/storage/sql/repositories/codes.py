"""Keep one-time codes in SQL. Each verb is one statement, so two racers never see the same code open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from menshen.adapters.storage.sql.repositories.executor import Executor
from menshen.adapters.storage.sql.statements.reader import Statement, Statements
from menshen.core.codes.one_time_codes import TRIES, TRIES_OF_OTHERS, CodeChallenge, CodeKey, SentCode, Taken
from menshen.core.time import Instant


def _named(key: CodeKey) -> dict[str, Any]:
    return {"app_id": key.app_id, "purpose": key.purpose.value, "subject": key.subject}


_MOST: Final = {"most_tries": TRIES, "most_others": TRIES_OF_OTHERS}


class CodeStatements(Statements, file="codes"):
    """Declare the statements of `codes.sql`."""

    find: Statement
    put: Statement
    take: Statement
    verify: Statement
    consume: Statement
    stands: Statement
    spend_expired: Statement
    drop: Statement


class SqlCodes:
    """Implement `menshen.ports.store.codes.Codes` on a connection."""

    def __init__(self, run: Executor, statements: CodeStatements) -> None:
        """Bind the statements to a connection."""
        self._run = run
        self._st = statements

    async def find(self, key: CodeKey, now: Instant, *, asker: bytes = b"") -> SentCode | None:
        row = await self._run.one(self._st.find, {**_named(key), "now": now, "most_tries": TRIES})
        if row is None:
            return None
        asked_by, is_open = bytes(row[2]), bool(row[1])
        own = asked_by in {b"", asker}
        return SentCode(bytes(row[0]), is_open and (own or row[3] < TRIES_OF_OTHERS), own, is_open, asked_by)

    async def put(self, challenge: CodeChallenge) -> None:
        values = {
            **_named(challenge.key),
            "code_mac": challenge.code_mac,
            "captcha": challenge.captcha,
            "created_at": challenge.created_at,
            "expires_at": challenge.expires_at,
            "asked_by": challenge.asked_by,
        }
        await self._run.run(self._st.put, values)

    async def take(self, key: CodeKey, macs: Sequence[bytes], now: Instant, *, asker: bytes = b"") -> Taken:
        return await self._attempt(self._st.take, key, macs, {"now": now, "asker": asker})

    async def verify(
        self, key: CodeKey, macs: Sequence[bytes], now: Instant, *, by: bytes = b"", asker: bytes = b""
    ) -> Taken:
        return await self._attempt(self._st.verify, key, macs, {"now": now, "asker": asker, "by": by})

    async def _attempt(
        self, statement: Statement, key: CodeKey, macs: Sequence[bytes], more: Mapping[str, Any]
    ) -> Taken:
        older_mac = macs[min(1, len(macs) - 1)]
        values = {**_named(key), "mac": macs[0], "older_mac": older_mac, **_MOST, **more}
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

    async def stands(self, key: CodeKey) -> bool:
        return await self._run.one(self._st.stands, _named(key)) is not None

    async def _spend_expired(self, key: CodeKey, now: Instant) -> None:
        """Mark an expired code as spent: once reported as expired, it must stay so when the clock goes back."""
        await self._run.run(self._st.spend_expired, {**_named(key), "now": now})

    async def drop(self, subject: str) -> None:
        await self._run.run(self._st.drop, {"subject": subject})
