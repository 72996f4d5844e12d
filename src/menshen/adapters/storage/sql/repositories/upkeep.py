"""Remove garbage and keep epochs in SQL. It decides nothing: each swept row had already expired by its own instants."""

from __future__ import annotations

from menshen.adapters.storage.changes import Changes
from menshen.adapters.storage.sql.repositories.executor import Executor
from menshen.adapters.storage.sql.statements.reader import Statement, Statements
from menshen.core.sessions.sessions import REUSE_GRACE
from menshen.core.time import DAY, HOUR, NEVER, Instant
from menshen.core.tokens import digest

# A thief may keep a spent refresh as long as a live one lasts; afterwards it tells nothing any more.
SPENT_MEMORY = 31 * DAY + REUSE_GRACE
OUTBOX_MEMORY = 7 * DAY
"""Time that the outbox keeps a message (ms)."""

TRAFFIC_DAYS = 31
SENDER_DAYS = 31

# A node whose clock is ahead may forget a spent captcha. A node whose clock is behind must not accept it again.
# Nor must the same node, after its clock was an hour ahead and is put right. (docs/security/attacks.md SG-7)
KEPT_BEHIND_END = 2 * HOUR

_CLEARING = digest("clearing of older epochs")


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
    sweep_successors: Statement
    sweep_spent_refreshes: Statement
    sweep_outbox: Statement
    sweep_traffic: Statement
    sweep_sender_days: Statement
    sweep_pending_logins: Statement
    sweep_trusted_devices: Statement
    sweep_spent_trusts: Statement
    sweep_begun_factors: Statement
    sweep_begun_beside: Statement
    sweep_security_links: Statement
    sweep_export_tickets: Statement
    sweep_audit: Statement
    raise_epoch: Statement
    epochs: Statement
    clear_codes: Statement
    clear_passes: Statement
    clear_images: Statement
    clear_messages: Statement
    clear_pending_logins: Statement
    clear_trusted_devices: Statement
    clear_security_links: Statement
    clear_export_tickets: Statement
    clearing: Statement
    clearing_until: Statement
    clear_sessions: Statement
    clear_last_sessions: Statement
    note_clearing: Statement
    end_clearing: Statement
    note_cleared: Statement
    clock: Statement
    mark_clock: Statement
    set_clock: Statement


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
            (st.sweep_nonces, now - KEPT_BEHIND_END),
            (st.sweep_passes, now - KEPT_BEHIND_END),
            (st.sweep_images, now - KEPT_BEHIND_END),
            (st.sweep_imported_tokens, now - KEPT_BEHIND_END),
            (st.sweep_counters, now - KEPT_BEHIND_END),
            (st.sweep_quota_uses, now - KEPT_BEHIND_END),
            (st.sweep_codes, now - DAY),
            (st.sweep_sessions, now - DAY),
            (st.sweep_successors, now),
            (st.sweep_spent_refreshes, now - SPENT_MEMORY),
            (st.sweep_outbox, now - OUTBOX_MEMORY),
            (st.sweep_pending_logins, now - KEPT_BEHIND_END),
            (st.sweep_trusted_devices, now - DAY),
            (st.sweep_spent_trusts, now - DAY),
            (st.sweep_begun_factors, now - KEPT_BEHIND_END),
            (st.sweep_begun_beside, now - KEPT_BEHIND_END),
            (st.sweep_security_links, now - KEPT_BEHIND_END),
            (st.sweep_export_tickets, now - KEPT_BEHIND_END),
            (st.sweep_audit, now - audit_days * DAY),
            (st.sweep_traffic, now // DAY - TRAFFIC_DAYS),
            (st.sweep_sender_days, now // DAY - SENDER_DAYS),
        ]
        gone = 0
        for statement, before in jobs:
            gone += await self._run.run(statement, {"before": before, "most": batch})
        return gone

    async def clock(self) -> tuple[Instant, Instant]:
        row = await self._run.one(self._st.clock, {})
        return (row[0], row[1]) if row else (NEVER, NEVER)

    async def mark_clock(self, at: Instant) -> None:
        await self._run.run(self._st.mark_clock, {"at": at})

    async def set_clock(self, at: Instant) -> None:
        await self._run.run(self._st.set_clock, {"at": at})

    async def raise_epoch(self, now: Instant = NEVER) -> int:
        self._changes.everything = True
        row = await self._run.one(self._st.raise_epoch, {"now": now})
        return int(row[0]) if row else 0

    async def clear_epochs(self, *, batch: int) -> int | None:
        if await self._epoch_to_clear() is None:
            return None
        # Others that clear wait here, and then go on where this transaction stops.
        await self._run.claim(_CLEARING)
        epoch = await self._epoch_to_clear()
        if epoch is None:
            return None
        reached = await self._run.one(self._st.clearing, {})
        if reached is None or reached[0] != epoch:
            return await self._clear_small(epoch, batch)
        return await self._clear_sessions(epoch, reached[1], batch)

    async def _epoch_to_clear(self) -> int | None:
        row = await self._run.one(self._st.epochs, {})
        return row[0] if row is not None and row[1] < row[0] else None

    async def _clear_small(self, epoch: int, batch: int) -> int:
        """Clear all tables but that of the sessions. After the last batch, begin with those."""
        st = self._st
        gone = 0
        for statement in (
            st.clear_codes,
            st.clear_passes,
            st.clear_images,
            st.clear_messages,
            st.clear_pending_logins,
            st.clear_trusted_devices,
            st.clear_security_links,
            st.clear_export_tickets,
        ):
            gone += await self._run.run(statement, {"epoch": epoch, "most": batch})
        if not gone:
            await self._run.run(st.note_clearing, {"epoch": epoch, "until": ""})
        return gone

    async def _clear_sessions(self, epoch: int, reached: str, batch: int) -> int:
        """Walk over the next sessions by their key: nothing is read twice, however many were deleted before."""
        st = self._st
        until = await self._run.one(st.clearing_until, {"reached": reached, "most": batch - 1})
        if until is not None:
            values = {"epoch": epoch, "reached": reached, "until": until[0]}
            gone = await self._run.run(st.clear_sessions, values)
            await self._run.run(st.note_clearing, {"epoch": epoch, "until": until[0]})
            return gone
        gone = await self._run.run(st.clear_last_sessions, {"epoch": epoch, "reached": reached})
        await self._run.run(st.end_clearing, {})
        await self._run.run(st.note_cleared, {"epoch": epoch})
        return gone
