"""Open stores and start concurrent callers for the suites. Must not know the repositories."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from menshen.ports.store.store import Store

T = TypeVar("T")

RACERS = 30
NODES = 2
"""Number of stores on one database: as in several processes or machines."""


class OpenStore(Protocol):
    """Open one more store on the test's database. Its maker closes all of them."""

    async def __call__(self) -> Store: ...


Dump = Callable[[], Awaitable[bytes]]
"""Returns every byte of the database, as far as the backend can read it."""


async def nodes(open_store: OpenStore, count: int = NODES) -> list[Store]:
    """Open several stores on one database."""
    return [await open_store() for _ in range(count)]


async def race(stores: Sequence[Store], run: Callable[[Store, int], Awaitable[T]], racers: int = RACERS) -> list[T]:
    """Start `racers` runs at one moment, spread over the stores, each with its number. Return the results in order."""
    gate = asyncio.Event()

    async def racer(number: int) -> T:
        await gate.wait()
        return await run(stores[number % len(stores)], number)

    started = [asyncio.ensure_future(racer(number)) for number in range(racers)]
    await asyncio.sleep(0)
    gate.set()
    return await asyncio.gather(*started)
