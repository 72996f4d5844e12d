"""Counts of SMS codes in SQL: one row a prefix and day."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, cast, func, select

from menshen.core.risk_sms import Traffic
from menshen.storage.sql.compiling import Compiler, Executor
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


class SqlTraffic:
    """`menshen.ports.traffic.SmsTraffic` on a connection."""

    def __init__(self, run: Executor, statements: TrafficStatements) -> None:
        """Bind the statements to a connection."""
        self._run = run
        self._st = statements

    async def count(self, prefix: str, country: str, day: int, *, sent: int = 0, verified: int = 0) -> None:
        values = {"day": day, "prefix": prefix, "country": country, "sent": sent, "verified": verified}
        await self._run.run(self._st.count, values)

    async def of_prefix(self, prefix: str, since_day: int) -> tuple[int, int]:
        row = await self._run.one(self._st.of_prefix, {"since": since_day, "prefix": prefix})
        return (int(row[0]), int(row[1])) if row else (0, 0)

    async def list_all(self, since_day: int, *, limit: int = 1000) -> Sequence[Traffic]:
        rows = await self._run.all(self._st.all, {"since": since_day, "most": limit})
        return [Traffic(str(row[0]), str(row[1]), int(row[2]), int(row[3])) for row in rows]
