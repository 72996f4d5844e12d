"""What is asked about sessions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, delete, false, func, or_, select, update

from menshen.core.account.accounts import Status
from menshen.storage.sql.sessions import SESSION_FIELDS
from menshen.storage.sql.statements.accounts import COLUMNS as ACCOUNT_COLUMNS
from menshen.storage.sql.statements.compiler import Compiler
from menshen.storage.sql.tables import accounts, installation, sessions, spent_refreshes

t = sessions.c


_SESSION_COLUMNS = tuple(t[name] for name in SESSION_FIELDS)


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
