"""Count text messages in SQL: codes by prefix and day, and what senders handed over by sender and day."""

from __future__ import annotations

from collections.abc import Sequence

from menshen.adapters.storage.sql.repositories.executor import Executor
from menshen.adapters.storage.sql.statements.reader import Statement, Statements
from menshen.core.codes.sms_traffic import Traffic
from menshen.core.delivery.senders import SenderDay, SenderTerms


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


class SqlSenderDays:
    """Implement `menshen.ports.store.sender_days.SenderDays` on a connection."""

    def __init__(self, run: Executor, statements: TrafficStatements) -> None:
        """Bind the statements to a connection."""
        self._run = run
        self._st = statements

    async def charge(self, terms: SenderTerms, day: int) -> SenderDay | None:
        row = await self._run.one(
            self._st.charge_sender,
            {
                "sender": terms.name,
                "day": day,
                "cost_micros": terms.cost_micros,
                "per_day": terms.per_day,
                "cost_per_day": terms.cost_per_day_micros,
            },
        )
        return SenderDay(terms.name, *row) if row else None

    async def adjust(self, sender: str, day: int, *, messages: int = 0, parts: int = 0, cost_micros: int = 0) -> None:
        values = {"sender": sender, "day": day, "messages": messages, "parts": parts, "cost_micros": cost_micros}
        await self._run.run(self._st.adjust_sender, values)

    async def of_day(self, day: int) -> Sequence[SenderDay]:
        return [SenderDay(*row) for row in await self._run.all(self._st.senders_of_day, {"day": day})]
