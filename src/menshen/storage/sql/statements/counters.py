"""What is asked about counters and quotas."""

from __future__ import annotations

from sqlalchemy import bindparam, case, delete, func, select, update

from menshen.storage.sql.statements.compiler import Compiler
from menshen.storage.sql.tables import counters, quota_uses


class CounterStatements:
    """Everything this repository asks, compiled once."""

    def __init__(self, sql: Compiler) -> None:
        """Compile."""
        t, q = counters.c, quota_uses.c
        now = bindparam("now", type_=t.since.type)
        window = bindparam("window", type_=t.since.type)
        idle = bindparam("idle", type_=t.tries.type)
        cap = bindparam("cap", type_=t.tries.type)
        over = t.expires_at <= now
        # An idle counter's clock starts again at each try, but not past the cap: a pause must end.
        restarts = over | ((idle == 1) & (t.tries < cap))
        self.hit = sql(
            sql.insert(counters)
            .on_conflict_do_update(
                index_elements=[t.key],
                set_={
                    "tries": case((over, 1), else_=t.tries + 1),
                    "since": case((restarts, now), else_=t.since),
                    "expires_at": case((restarts, now + window), else_=t.expires_at),
                },
            )
            .returning(t.tries, t.since)
        )
        one = t.key == bindparam("key")
        # A row at zero tells nothing: what was only ever refused leaves none behind.
        self.forget = sql(delete(counters).where(one, t.tries <= bindparam("upto")).returning(t.key))
        self.forgive = sql(update(counters).where(one).values(tries=t.tries - 1))
        self.peek = sql(select(t.tries).where(one, t.expires_at > now))
        recent = (q.key == bindparam("key"), q.at > bindparam("after"))
        self.used = sql(select(func.count()).where(*recent))
        self.passing = sql(select(q.at).where(*recent).order_by(q.at).limit(1).offset(bindparam("skip")))
        self.use = sql(sql.insert(quota_uses, "key", "at", "expires_at"))
