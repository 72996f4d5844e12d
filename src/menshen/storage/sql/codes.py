"""One-time codes in SQL: each verb one statement, so no two racers see the same code open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, delete, or_, select, update

from menshen.core.one_time_codes import TRIES, CodeChallenge, CodeKey, Taken
from menshen.core.time import Instant
from menshen.storage.sql.compiling import Compiler, Executor, Statement
from menshen.storage.sql.tables import codes

t = codes.c


class CodeStatements:
    """Everything this repository asks, compiled once."""

    def __init__(self, sql: Compiler) -> None:
        """Compile."""
        key = and_(t.app_id == bindparam("app"), t.purpose == bindparam("purpose"), t.subject == bindparam("subject"))
        now = bindparam("now", type_=t.expires_at.type)
        self.captcha = sql(select(t.captcha).where(key))
        put = sql.insert(codes)
        self.put = sql(
            put.on_conflict_do_update(
                index_elements=[t.app_id, t.purpose, t.subject],
                set_={
                    name: put.excluded[name]
                    for name in ("code_mac", "captcha", "tries", "created_at", "expires_at", "verified_at", "spent_at")
                },
            )
        )
        alive = and_(key, t.spent_at == 0, t.tries < TRIES, t.expires_at > now)
        fits = or_(t.code_mac == bindparam("mac"), t.code_mac == bindparam("older_mac"))

        by = bindparam("by", type_=t.captcha.type)

        def attempt(mark: str, state: ColumnElement[bool], **more: ColumnElement[Any]) -> Statement:
            # RETURNING tells the row after the update: the mark is set exactly when the code fitted.
            return sql(
                update(codes)
                .where(state)
                .values({"tries": t.tries + 1, mark: case((fits, now), else_=0), **more})
                .returning(t[mark])
            )

        self.take = attempt("spent_at", alive)
        # A verified code has no more use for the captcha it was sent with: who verified it takes the place.
        whose = case((fits, by), else_=t.captcha)
        self.verify = attempt("verified_at", and_(alive, t.verified_at == 0), captcha=whose)
        self.consume = sql(
            update(codes)
            .where(key, t.spent_at == 0, t.verified_at > 0, t.expires_at > now, t.captcha == by)
            .values(spent_at=now)
            .returning(t.spent_at)
        )
        self.drop = sql(delete(codes).where(t.subject == bindparam("subject")))


def _named(key: CodeKey) -> dict[str, Any]:
    return {"app": key.app_id, "purpose": key.purpose.value, "subject": key.subject}


class SqlCodes:
    """`menshen.ports.codes.Codes` on a connection."""

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
            return Taken.DEAD
        return Taken.MATCHED if row[0] else Taken.WRONG

    async def consume(self, key: CodeKey, now: Instant, *, by: bytes = b"") -> bool:
        return await self._run.one(self._st.consume, {**_named(key), "now": now, "by": by}) is not None

    async def drop(self, subject: str) -> None:
        await self._run.run(self._st.drop, {"subject": subject})
