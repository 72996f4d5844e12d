"""Sessions in SQL. Only digests of tokens pass through here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import bindparam, delete, false, func, or_, select, update

from menshen.core.accounts import Account, Status
from menshen.core.login import Bearer
from menshen.core.sessions import Session
from menshen.core.time import Instant
from menshen.ports.sessions import CheckedToken
from menshen.storage.sql.accounts import COLUMNS as ACCOUNT_COLUMNS
from menshen.storage.sql.accounts import account_of
from menshen.storage.sql.compiling import Compiler, Executor
from menshen.storage.sql.tables import accounts, installation, sessions, spent_refreshes

t = sessions.c
_FIELDS = tuple(f.name for f in fields(Session))
_SESSION_COLUMNS = tuple(t[name] for name in _FIELDS)


def _session_of(row: Sequence[Any]) -> Session:
    return Session(*row[: len(_FIELDS)])


def row_of(session: Session) -> dict[str, Any]:
    """The columns of a session by their names, without its digests."""
    return {name: getattr(session, name) for name in _FIELDS}


class SessionStatements:
    """Everything this repository asks, compiled once."""

    def __init__(self, sql: Compiler) -> None:
        """Compile."""
        # A session counts only with an active account and in the present epoch: disabling and restoring
        # refuse it on every node at once, even before its row is gone.
        good = (
            (accounts.c.number == t.account_number)
            & (accounts.c.status == Status.ACTIVE.value)
            & (installation.c.id == 1)
            & (t.epoch == installation.c.epoch)
        )
        token = t.token_digest == bindparam("token")
        checked = (
            t.session_id, accounts.c.public_id, accounts.c.number, accounts.c.roles,
            t.expires_at, t.ends_at, t.seen_at, t.sliding_ms,
        )  # fmt: skip
        self.check = sql(select(*checked).where(token, good))
        self.find = sql(select(*_SESSION_COLUMNS, *ACCOUNT_COLUMNS).where(token, good))
        of = t.account_number == bindparam("account")
        self.list = sql(select(*_SESSION_COLUMNS).where(of, good).order_by(t.created_at.desc(), t.session_id.desc()))
        columns = [c.name for c in sessions.columns if c.name != "epoch"]
        insert = sql.insert(sessions, *columns)
        insert = insert.values(epoch=select(installation.c.epoch).where(installation.c.id == 1).scalar_subquery())
        self.open = sql(insert)
        device = bindparam("device", type_=t.device_id.type)
        # No slot is nobody's rival: without coalesce, NULL would be neither a rival nor worth keeping.
        rival = or_(
            func.coalesce(t.slot == bindparam("slot"), false()),
            (t.device_id == device) & (device != ""),
            t.token_digest == bindparam("replaces"),
        )
        keep = (
            select(t.session_id)
            .where(of, ~rival)
            .order_by(t.created_at.desc(), t.session_id.desc())
            .limit(bindparam("others"))
            .scalar_subquery()
        )
        # Before the new one is there, so that it always stays, also where nodes' clocks differ.
        self.make_room = sql(delete(sessions).where(of, rival | t.session_id.not_in(keep)).returning(t.session_id))
        self.rotate = sql(
            update(sessions)
            .where(token, t.refresh_digest == bindparam("refresh"), t.epoch == _epoch())
            .values(
                token_digest=bindparam("new_token"),
                refresh_digest=bindparam("new_refresh"),
                seen_at=bindparam("seen"),
                expires_at=bindparam("expires"),
                ends_at=bindparam("ends"),
                refresh_expires_at=bindparam("refresh_expires"),
            )
            .returning(t.session_id)
        )
        self.holds = sql(select(t.session_id).where(token, t.refresh_digest == bindparam("refresh")))
        self.spend = sql(sql.insert(spent_refreshes).on_conflict_do_nothing())
        self.spent = sql(
            select(spent_refreshes.c.session_id, spent_refreshes.c.account_number, spent_refreshes.c.spent_at).where(
                spent_refreshes.c.digest == bindparam("refresh")
            )
        )
        one = t.session_id == bindparam("sid")
        self.touch = sql(
            update(sessions)
            .where(one, t.seen_at < bindparam("seen"))
            .values(seen_at=bindparam("seen"), expires_at=bindparam("expires"))
        )
        self.prove = sql(update(sessions).where(one).values(proved_at=bindparam("at")))
        self.end = sql(delete(sessions).where(one, of))
        self.end_all = sql(
            delete(sessions)
            .where(of, t.session_id != bindparam("but", type_=t.session_id.type))
            .returning(t.session_id)
        )


def _epoch() -> Any:
    return select(installation.c.epoch).where(installation.c.id == 1).scalar_subquery()


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
        return (_session_of(row), account_of(row[len(_FIELDS) :])) if row else None

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

    async def prove(self, session_id: str, at: Instant) -> None:
        await self._run.run(self._st.prove, {"sid": session_id, "at": at})

    async def end(self, session_id: str, account_number: int) -> bool:
        return await self._run.run(self._st.end, {"sid": session_id, "account": account_number}) == 1

    async def end_all(self, account_number: int, *, except_id: str | None = None) -> Sequence[str]:
        values = {"account": account_number, "but": except_id or ""}
        return [row[0] for row in await self._run.all(self._st.end_all, values)]
