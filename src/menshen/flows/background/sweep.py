"""Delete rows that can never matter again."""

from __future__ import annotations

from typing import Final

from menshen.ports.store import Store, WriteTx
from menshen.ports.world import World

SWEEP_BATCH: Final = 500
"""The most rows of a kind that one transaction deletes."""


async def sweep(*, store: Store, world: World, audit_days: int) -> int:
    """Delete a batch of what can never matter again; how many rows went."""
    now = world.now()

    async def work(tx: WriteTx) -> int:
        return await tx.upkeep.sweep(now, audit_days=audit_days, batch=SWEEP_BATCH)

    return await store.write(work)
