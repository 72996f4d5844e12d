"""Keep sessions in SQL. It handles only digests of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from menshen.adapters.storage.changes import Changes
from menshen.adapters.storage.sql.repositories.executor import Executor
from menshen.adapters.storage.sql.repositories.rows import SESSION_FIELDS, account_of, session_of, session_row
from menshen.adapters.storage.sql.statements.reader import Statement, Statements
from menshen.core.account.accounts import Account
from menshen.core.gates.members import SPENT_KEPT
from menshen.core.sessions.outcomes import Bearer
from menshen.core.sessions.sessions import REUSE_GRACE, Session
from menshen.core.time import NEVER, Instant, after
from menshen.ports.store.sessions import CheckedToken, SpentRefresh


class SessionStatements(Statements, file="sessions"):
    """Declare the statements of `sessions.sql`."""

    check: Statement
    find: Statement
    account_of: Statement
    list_of: Statement
    make_room: Statement
    open: Statement
    rotate: Statement
    holds: Statement
    spend_refresh: Statement
    find_spent_refresh: Statement
    retry: Statement
    touch: Statement
    prove: Statement
    prove_twice: Statement
    end: Statement
    end_by_token: Statement
    end_all: Statement
    lock_rivals: Statement | None = None
    hold: Statement | None = None


def checked_token_of(row: Sequence[Any]) -> CheckedToken:
    """Make the record from the columns of the statement `check`."""
    sid, public_id, number, roles, expires_at, ends_at, seen_at, sliding_ms, phone_proved, email_proved, level = row
    bearer = Bearer(public_id, number, roles, phone_proved == 1, email_proved == 1, level)
    return CheckedToken(sid, bearer, expires_at, ends_at, seen_at, sliding_ms)


class SqlSessions:
    """Implement `menshen.ports.store.sessions.Sessions` on a connection."""

    def __init__(self, run: Executor, statements: SessionStatements, changes: Changes) -> None:
        """Bind the statements to a connection; `changes` collects what ended."""
        self._run = run
        self._changes = changes
        self._st = statements

    async def check(self, token: bytes) -> CheckedToken | None:
        row = await self._run.one(self._st.check, {"token": token})
        return None if row is None else checked_token_of(row)

    async def find(self, token: bytes) -> tuple[Session, Account] | None:
        row = await self._run.one(self._st.find, {"token": token})
        return (session_of(row), account_of(row[len(SESSION_FIELDS) :])) if row else None

    async def list_of(self, account_number: int) -> Sequence[Session]:
        return [session_of(row) for row in await self._run.all(self._st.list_of, {"account_number": account_number})]

    async def find_spent_refresh(self, refresh: bytes) -> SpentRefresh | None:
        row = await self._run.one(self._st.find_spent_refresh, {"refresh": refresh})
        if row is None:
            return None
        session_id, account_number, spent_at, successor, retried, paid_until = row
        return SpentRefresh(
            session_id, account_number, spent_at, bytes(successor or b""), retried == 1, paid_until or NEVER
        )

    async def open(
        self, session: Session, token: bytes, refresh: bytes | None, *, most: int, replaces: bytes = b""
    ) -> Sequence[str]:
        room = {
            "account_number": session.account_number,
            "slot": session.slot,
            "device_id": session.device_id,
            "replaces": replaces,
            "others": most - 1,
        }
        ended = [session_id for session_id, live in await self._run.all(self._st.make_room, room) if live]
        self._changes.sessions += ended
        await self._run.run(self._st.open, {**session_row(session), "token_digest": token, "refresh_digest": refresh})
        return ended

    async def hold(self, session_id: str) -> Account | None:
        if self._st.hold is not None:
            await self._run.all(self._st.hold, {"session_id": session_id})
        row = await self._run.one(self._st.account_of, {"session_id": session_id})
        return account_of(row) if row else None

    async def holds(self, token: bytes, refresh: bytes) -> bool:
        return await self._run.one(self._st.holds, {"token": token, "refresh": refresh}) is not None

    async def rotate(
        self,
        old_token: bytes,
        old_refresh: bytes,
        new_token: bytes,
        new_refresh: bytes,
        session: Session,
        *,
        spent_at: Instant = NEVER,
        successor: bytes = b"",
    ) -> bool:
        spent_at = spent_at or session.seen_at
        self._changes.tokens.append(old_token)
        values = {
            "token": old_token,
            "refresh": old_refresh,
            "new_token": new_token,
            "new_refresh": new_refresh,
            "seen_at": session.seen_at,
            "expires_at": session.expires_at,
            "ends_at": session.ends_at,
            "refresh_expires_at": session.refresh_expires_at,
            "refreshes": session.refreshes,
            "refresh_paid_until": session.refresh_paid_until,
            "successor": successor or None,
            "successor_until": after(spent_at, REUSE_GRACE) if successor else NEVER,
        }
        if await self._run.one(self._st.rotate, values) is None:
            return False
        spent = {
            "digest": old_refresh,
            "session_id": session.session_id,
            "account_number": session.account_number,
            "spent_at": spent_at,
            "place": session.refreshes % SPENT_KEPT,
        }
        await self._run.run(self._st.spend_refresh, spent)
        return True

    async def retry(self, token: bytes, paid_until: Instant) -> bool:
        return await self._run.run(self._st.retry, {"token": token, "paid_until": paid_until}) == 1

    async def touch(self, session_id: str, seen_at: Instant, expires_at: Instant) -> None:
        await self._run.run(self._st.touch, {"session_id": session_id, "seen_at": seen_at, "expires_at": expires_at})

    async def prove(self, session_id: str, at: Instant) -> bool:
        return await self._run.run(self._st.prove, {"session_id": session_id, "at": at}) == 1

    async def prove_twice(self, session_id: str, at: Instant, *, level: int, methods: str) -> bool:
        # Token checks tell the level.
        self._changes.sessions.append(session_id)
        values = {"session_id": session_id, "at": at, "level": level, "methods": methods}
        return await self._run.run(self._st.prove_twice, values) == 1

    async def end(self, session_id: str, account_number: int) -> bool:
        self._changes.sessions.append(session_id)
        values = {"session_id": session_id, "account_number": account_number}
        return await self._run.run(self._st.end, values) == 1

    async def end_by_token(self, token: bytes, *, before_login_of: int) -> tuple[str, int] | None:
        if self._st.lock_rivals is not None:
            await self._run.all(self._st.lock_rivals, {"account_number": before_login_of, "token": token})
        row = await self._run.one(self._st.end_by_token, {"token": token})
        if row is None:
            return None
        self._changes.sessions.append(row[0])
        return row[0], row[1]

    async def end_all(self, account_number: int, *, except_id: str | None = None) -> Sequence[str]:
        values = {"account_number": account_number, "except_id": except_id or ""}
        ended = [row[0] for row in await self._run.all(self._st.end_all, values)]
        self._changes.sessions += ended
        return ended
