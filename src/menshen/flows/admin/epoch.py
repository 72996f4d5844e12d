"""End everything that was issued before, and clear away its rows. (docs/security/attacks.md AD-8, decision 0052.)"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from menshen.core.audit.events import Tag
from menshen.flows.audit.recording import admin_event
from menshen.flows.upkeep.sweep import clear_epochs
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World

CLEAR_BATCH: Final = 5_000
"""The rows that a command looks at in one transaction. That takes PostgreSQL less than 0.1 s."""


async def raise_epoch(*, store: Store, world: World) -> int:
    """Refuse everything issued before from now on, and return the new epoch. One short transaction."""
    now = world.now()

    async def work(tx: WriteTx) -> int:
        number = await tx.upkeep.raise_epoch(now)
        await tx.audit.append(admin_event(Tag.EPOCH_RAISED, now, reason=str(number)))
        return number

    return await store.write(work)


async def clear_all_epochs(*, store: Store, on_progress: Callable[[int], None]) -> int:
    """Delete the rows of older epochs in short transactions, and return their number.

    `on_progress` gets the number so far. It may be stopped anywhere: the rows are refused, and a sweep goes on.
    """
    gone = 0
    while (deleted := await clear_epochs(store=store, batch=CLEAR_BATCH)) is not None:
        gone += deleted
        on_progress(gone)
    return gone
