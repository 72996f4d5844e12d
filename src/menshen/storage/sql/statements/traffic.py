"""What is asked about counts of SMS codes."""

from __future__ import annotations

from sqlalchemy import bindparam, cast, func, select

from menshen.storage.sql.statements.compiler import Compiler
from menshen.storage.sql.tables import Int, sms_traffic


class TrafficStatements:
    """Everything this repository asks, compiled once."""

    def __init__(self, sql: Compiler) -> None:
        """Compile."""
        t = sms_traffic.c
        since = t.day >= bindparam("since", type_=t.day.type)
        put = sql.insert(sms_traffic)
        self.count = sql(
            put.on_conflict_do_update(
                index_elements=[t.day, t.prefix],
                set_={"sent": t.sent + put.excluded.sent, "verified": t.verified + put.excluded.verified},
            )
        )
        # PostgreSQL sums integers into a decimal: it is made an integer again where it is still exact.
        sent = cast(func.coalesce(func.sum(t.sent), 0), Int)
        verified = cast(func.coalesce(func.sum(t.verified), 0), Int)
        self.of_prefix = sql(select(sent, verified).where(since, t.prefix == bindparam("prefix")))
        self.all = sql(
            select(t.prefix, func.max(t.country), sent, verified)
            .where(since)
            .group_by(t.prefix)
            .order_by(sent.desc(), t.prefix)
            .limit(bindparam("most"))
        )
