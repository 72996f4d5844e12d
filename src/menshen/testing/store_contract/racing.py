"""How the suites open stores and let callers race. It knows the port, nothing of what is raced for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from menshen.ports.store.store import Store

T = TypeVar("T")

RACERS = 30
NODES = 2
"""Stores on one database: what other processes, or other machines, would hold."""


class OpenStore(Protocol):
    """Opens one more store on the test's database; whoever made it closes them all."""

    async def __call__(self) -> Store: ...


Dump = Callable[[], Awaitable[bytes]]
"""Every byte the database holds, as far as this backend can tell."""


async def nodes(open_store: OpenStore, count: int = NODES) -> list[Store]:
    """Several stores on the one database."""
    return [await open_store() for _ in range(count)]


async def race(stores: Sequence[Store], run: Callable[[Store, int], Awaitable[T]], racers: int = RACERS) -> list[T]:
    """Start `racers` runs at one moment, spread over the stores, each with its number; what each got, in order."""
    gate = asyncio.Event()

    async def racer(number: int) -> T:
        await gate.wait()
        return await run(stores[number % len(stores)], number)

    started = [asyncio.ensure_future(racer(number)) for number in range(racers)]
    await asyncio.sleep(0)
    gate.set()
    return await asyncio.gather(*started)
