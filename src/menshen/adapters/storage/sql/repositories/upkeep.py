"""Remove garbage and keep epochs in SQL. It decides nothing: each swept row had already expired by its own instants."""

from __future__ import annotations

from menshen.adapters.storage.changes import Changes
from menshen.adapters.storage.sql.repositories.executor import Executor
from menshen.adapters.storage.sql.statements.reader import Statement, Statements
from menshen.core.sessions.sessions import REUSE_GRACE
from menshen.core.time import DAY, HOUR, Instant

# A thief may keep a spent refresh as long as a live one lasts; afterwards it tells nothing any more.
SPENT_MEMORY = 31 * DAY + REUSE_GRACE
OUTBOX_MEMORY = 7 * DAY
"""Time that the outbox keeps a message (ms)."""

TRAFFIC_DAYS = 31
# A node whose clock is ahead may forget a spent captcha. A node whose clock is behind must not accept it again.
# Nor must the same node, after its clock was an hour ahead and is put right. (docs/security/attacks.md SG-7)
CLOCKS_APART = 2 * HOUR


class UpkeepStatements(Statements, file="upkeep"):
    """Declare the statements of `upkeep.sql`."""

    sweep_nonces: Statement
    sweep_passes: Statement
    sweep_images: Statement
    sweep_imported_tokens: Statement
    sweep_counters: Statement
    sweep_quota_uses: Statement
    sweep_codes: Statement
    sweep_sessions: Statement
    sweep_spent_refreshes: Statement
    sweep_outbox: Statement
    sweep_traffic: Statement
    sweep_audit: Statement
    raise_epoch: Statement
    forget_sessions: Statement
    forget_spent_refreshes: Statement
    forget_codes: Statement
    forget_passes: Statement
    forget_images: Statement


class SqlUpkeep:
    """Implement `menshen.ports.store.store.Upkeep` on a connection."""

    def __init__(self, run: Executor, statements: UpkeepStatements, changes: Changes) -> None:
        """Bind the statements to a connection; `changes` collects what ended."""
        self._run = run
        self._changes = changes
        self._st = statements

    async def sweep(self, now: Instant, *, audit_days: int, batch: int) -> int:
        st = self._st
        jobs = [
            (st.sweep_nonces, now - CLOCKS_APART),
            (st.sweep_passes, now - CLOCKS_APART),
            (st.sweep_images, now - CLOCKS_APART),
            (st.sweep_imported_tokens, now - CLOCKS_APART),
            (st.sweep_counters, now - CLOCKS_APART),
            (st.sweep_quota_uses, now - CLOCKS_APART),
            (st.sweep_codes, now - DAY),
            (st.sweep_sessions, now - DAY),
            (st.sweep_spent_refreshes, now - SPENT_MEMORY),
            (st.sweep_outbox, now - OUTBOX_MEMORY),
            (st.sweep_audit, now - audit_days * DAY),
            (st.sweep_traffic, now // DAY - TRAFFIC_DAYS),
        ]
        gone = 0
        for statement, before in jobs:
            gone += await self._run.run(statement, {"before": before, "most": batch})
        return gone

    async def raise_epoch(self) -> int:
        self._changes.everything = True
        st = self._st
        row = await self._run.one(st.raise_epoch, {})
        for statement in (
            st.forget_sessions,
            st.forget_spent_refreshes,
            st.forget_codes,
            st.forget_passes,
            st.forget_images,
        ):
            await self._run.run(statement, {})
        return int(row[0]) if row else 0
