"""Delete rows that are no longer needed, and accounts whose days of grace are over."""

from __future__ import annotations

from typing import Final

from menshen.core.time import NEVER, Instant
from menshen.flows.account.delete_account import close_out
from menshen.flows.background.clock import ClockWatch
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World

SWEEP_BATCH: Final = 500
"""The most rows of a kind that one transaction deletes."""

CLOSE_BATCH: Final = 100
"""The most accounts that one sweep closes, each in its own transaction."""


async def sweep(*, store: Store, world: World, audit_days: int, clocks: ClockWatch | None = None) -> int:
    """Delete a batch of rows that are no longer needed, none while the clock is doubted. Return their number.

    Accounts whose days of grace are over are closed before, a batch of them.
    """
    judged = await (clocks or ClockWatch(store=store, world=world)).look()
    if judged.doubted:
        return 0
    now = judged.instant
    await close_due(store=store, now=now)

    async def work(tx: WriteTx) -> int:
        return await tx.upkeep.sweep(now, audit_days=audit_days, batch=SWEEP_BATCH)

    return await store.write(work)


async def clear_epochs(*, store: Store, batch: int = SWEEP_BATCH) -> int | None:
    """Delete the next rows that an older epoch left, where no command did. None: there are no more."""
    return await store.write(lambda tx: tx.upkeep.clear_epochs(batch=batch))


async def close_due(*, store: Store, now: Instant) -> int:
    """Delete a batch of accounts whose owners wanted that by `now`, as `close_out` does. Return their number.

    A login that came before took its closing back, and of several nodes one closes an account: each is looked at again
    behind its lock.
    """
    closed = 0
    for number in await store.read.accounts.due_to_close(now, limit=CLOSE_BATCH):

        async def work(tx: WriteTx, number: int = number) -> bool:
            account = await tx.accounts.hold(number)
            if account is None or not NEVER < account.closes_at <= now:
                return False
            await close_out(tx, account, None, now, reason="grace_over", source="")
            return True

        closed += await store.write(work)
    return closed
