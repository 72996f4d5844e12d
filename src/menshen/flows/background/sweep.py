"""Delete rows that are no longer needed."""

from __future__ import annotations

from typing import Final

from menshen.flows.background.clock import ClockWatch
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World

SWEEP_BATCH: Final = 500
"""The most rows of a kind that one transaction deletes."""


async def sweep(*, store: Store, world: World, audit_days: int, clocks: ClockWatch | None = None) -> int:
    """Delete a batch of rows that are no longer needed, none while the clock is doubted. Return their number."""
    judged = await (clocks or ClockWatch(store=store, world=world)).look()
    if judged.doubted:
        return 0
    now = judged.instant

    async def work(tx: WriteTx) -> int:
        return await tx.upkeep.sweep(now, audit_days=audit_days, batch=SWEEP_BATCH)

    return await store.write(work)


async def clear_epochs(*, store: Store, batch: int = SWEEP_BATCH) -> int | None:
    """Delete the next rows that an older epoch left, where no command did. None: there are no more."""
    return await store.write(lambda tx: tx.upkeep.clear_epochs(batch=batch))
