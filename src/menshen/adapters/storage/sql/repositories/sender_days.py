"""Count what senders handed over in SQL: one row for each sender and day."""

from __future__ import annotations

from collections.abc import Sequence

from menshen.adapters.storage.sql.repositories.executor import Executor
from menshen.adapters.storage.sql.repositories.traffic import TrafficStatements
from menshen.core.delivery.senders import SenderDay, SenderTerms


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
