"""What is asked about one-time codes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, delete, or_, select, update

from menshen.core.codes.one_time_codes import TRIES
from menshen.storage.sql.compiling import Statement
from menshen.storage.sql.statements.compiler import Compiler
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
        # Whatever the clock says later. (docs/security/attacks.md SG-7)
        self.bury = sql(update(codes).where(key, t.spent_at == 0, t.expires_at <= now).values(spent_at=now))
        self.drop = sql(delete(codes).where(t.subject == bindparam("subject")))
