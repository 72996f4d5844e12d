"""Sessions in SQL. Only digests of tokens pass through here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from menshen.core.account.accounts import Account
from menshen.core.sessions.outcomes import Bearer
from menshen.core.sessions.sessions import Session
from menshen.core.time import Instant
from menshen.ports.sessions import CheckedToken
from menshen.storage.sql.accounts import account_of
from menshen.storage.sql.compiling import Executor

if TYPE_CHECKING:
    from menshen.storage.sql.statements.sessions import SessionStatements

SESSION_FIELDS = tuple(f.name for f in fields(Session))


def _session_of(row: Sequence[Any]) -> Session:
    return Session(*row[: len(SESSION_FIELDS)])


def row_of(session: Session) -> dict[str, Any]:
    """The columns of a session by their names, without its digests."""
    return {name: getattr(session, name) for name in SESSION_FIELDS}


class SqlSessions:
    """`menshen.ports.sessions.Sessions` on a connection."""

    def __init__(self, run: Executor, statements: SessionStatements) -> None:
        """Bind the statements to a connection."""
        self._run = run
        self._st = statements

    async def check(self, token: bytes) -> CheckedToken | None:
        row = await self._run.one(self._st.check, {"token": token})
        if row is None:
            return None
        sid, public_id, number, roles, expires_at, ends_at, seen_at, sliding_ms = row
        return CheckedToken(sid, Bearer(public_id, number, roles), expires_at, ends_at, seen_at, sliding_ms)

    async def find(self, token: bytes) -> tuple[Session, Account] | None:
        row = await self._run.one(self._st.find, {"token": token})
        return (_session_of(row), account_of(row[len(SESSION_FIELDS) :])) if row else None

    async def list_of(self, account_number: int) -> Sequence[Session]:
        return [_session_of(row) for row in await self._run.all(self._st.list, {"account": account_number})]

    async def find_spent_refresh(self, refresh: bytes) -> tuple[str, int, Instant] | None:
        row = await self._run.one(self._st.spent, {"refresh": refresh})
        return (row[0], row[1], row[2]) if row else None

    async def open(
        self, session: Session, token: bytes, refresh: bytes | None, *, most: int, replaces: bytes = b""
    ) -> Sequence[str]:
        room = {
            "account": session.account_number,
            "slot": session.slot,
            "device": session.device_id,
            "replaces": replaces,
            "others": most - 1,
        }
        ended = [row[0] for row in await self._run.all(self._st.make_room, room)]
        await self._run.run(self._st.open, {**row_of(session), "token_digest": token, "refresh_digest": refresh})
        return ended

    async def holds(self, token: bytes, refresh: bytes) -> bool:
        return await self._run.one(self._st.holds, {"token": token, "refresh": refresh}) is not None

    async def rotate(
        self, old_token: bytes, old_refresh: bytes, new_token: bytes, new_refresh: bytes, session: Session
    ) -> bool:
        values = {
            "token": old_token,
            "refresh": old_refresh,
            "new_token": new_token,
            "new_refresh": new_refresh,
            "seen": session.seen_at,
            "expires": session.expires_at,
            "ends": session.ends_at,
            "refresh_expires": session.refresh_expires_at,
        }
        if await self._run.one(self._st.rotate, values) is None:
            return False
        spent = {
            "digest": old_refresh,
            "session_id": session.session_id,
            "account_number": session.account_number,
            "spent_at": session.seen_at,
        }
        await self._run.run(self._st.spend, spent)
        return True

    async def touch(self, session_id: str, seen_at: Instant, expires_at: Instant) -> None:
        await self._run.run(self._st.touch, {"sid": session_id, "seen": seen_at, "expires": expires_at})

    async def prove(self, session_id: str, at: Instant) -> bool:
        return await self._run.run(self._st.prove, {"sid": session_id, "at": at}) == 1

    async def end(self, session_id: str, account_number: int) -> bool:
        return await self._run.run(self._st.end, {"sid": session_id, "account": account_number}) == 1

    async def end_all(self, account_number: int, *, except_id: str | None = None) -> Sequence[str]:
        values = {"account": account_number, "but": except_id or ""}
        return [row[0] for row in await self._run.all(self._st.end_all, values)]
