"""Garbage and epochs in SQL. Nothing here decides: every row swept was already dead by its own instants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from menshen.core.sessions.sessions import REUSE_GRACE
from menshen.core.time import DAY, HOUR, Instant
from menshen.storage.sql.compiling import Executor

if TYPE_CHECKING:
    from menshen.storage.sql.statements.upkeep import UpkeepStatements

# A thief may keep a spent refresh as long as a live one lasts; afterwards it tells nothing any more.
SPENT_MEMORY = 31 * DAY + REUSE_GRACE
OUTBOX_MEMORY = 7 * DAY
TRAFFIC_DAYS = 31
# A spent captcha that is forgotten by a node whose clock is ahead must not be taken again by one that is behind, nor
# by the same one when its clock was an hour ahead and is put right. (docs/security/attacks.md SG-7)
CLOCKS_APART = 2 * HOUR


class SqlUpkeep:
    """`menshen.ports.store.store.Upkeep` on a connection."""

    def __init__(self, run: Executor, statements: UpkeepStatements) -> None:
        """Bind the statements to a connection."""
        self._run = run
        self._st = statements

    async def sweep(self, now: Instant, *, audit_days: int, batch: int) -> int:
        st = self._st
        jobs = [
            *((statement, now - CLOCKS_APART) for statement in st.by_expiry),
            (st.codes, now - DAY),
            (st.sessions, now - DAY),
            (st.spent, now - SPENT_MEMORY),
            (st.outbox, now - OUTBOX_MEMORY),
            (st.audit, now - audit_days * DAY),
            (st.traffic, now // DAY - TRAFFIC_DAYS),
        ]
        gone = 0
        for statement, before in jobs:
            gone += await self._run.run(statement, {"before": before, "most": batch})
        return gone

    async def raise_epoch(self) -> int:
        row = await self._run.one(self._st.epoch, {})
        for statement in self._st.forget:
            await self._run.run(statement, {})
        return int(row[0]) if row else 0
