"""Letting few at a time through to one account.

Tries are counted before they are judged, so fifty right logins at once would look like fifty failures for
as long as their hashes take. Here they wait for each other instead: what is counted and not yet judged
never exceeds `abreast` for one account and network, on this node. It also keeps one account from filling
the hash queue for everybody.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from menshen.core.problems import Problem, ProblemCode


class Turnstile:
    """One gate per key; keys that nobody waits for take no memory."""

    def __init__(self, *, abreast: int = 2, most_waiting: int = 200) -> None:
        """Let `abreast` through at a time, and keep at most `most_waiting` at one key."""
        self._abreast = abreast
        self._most = most_waiting
        self._gates: dict[bytes, tuple[asyncio.Semaphore, list[int]]] = {}

    @asynccontextmanager
    async def turn(self, key: bytes) -> AsyncIterator[None]:
        """Wait for a turn at `key` and hold it.

        Raises:
            Problem: OVERLOADED, when too many wait there already.
        """
        gate, waiting = self._gates.setdefault(key, (asyncio.Semaphore(self._abreast), [0]))
        if waiting[0] >= self._most:
            raise Problem(ProblemCode.OVERLOADED, "too many at one account", 1)
        waiting[0] += 1
        try:
            async with gate:
                yield
        finally:
            waiting[0] -= 1
            if not waiting[0]:
                self._gates.pop(key, None)
