"""Count SMS codes in SQL: one row for each prefix and day."""

from __future__ import annotations

from collections.abc import Sequence

from menshen.adapters.storage.sql.repositories.executor import Executor
from menshen.adapters.storage.sql.statements.reader import Statement, Statements
from menshen.core.codes.sms_traffic import Traffic


class TrafficStatements(Statements, file="traffic"):
    """Declare the statements of `traffic.sql`."""

    count: Statement
    of_prefix: Statement
    list_all: Statement
    charge_sender: Statement
    adjust_sender: Statement
    senders_of_day: Statement


class SqlTraffic:
    """Implement `menshen.ports.store.sms_traffic.SmsTraffic` on a connection."""

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
        rows = await self._run.all(self._st.list_all, {"since": since_day, "most": limit})
        return [Traffic(str(row[0]), str(row[1]), int(row[2]), int(row[3])) for row in rows]
