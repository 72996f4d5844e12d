"""Letting few at a time through to one account, and to the accounts of one network.

Tries are counted before they are judged, so fifty right logins at once would look like fifty failures for
as long as their hashes take. Here they wait for each other instead: what is counted and not yet judged stays
small for one account and for one network, on this node. It also keeps one account, and one network, from
filling the hash queue for everybody. (decision 0008.)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from menshen.core.problems import Problem, ProblemCode


class AttemptGate:
    """One gate per key; keys that nobody waits for take no memory."""

    def __init__(self, *, account: int = 2, network: int = 8, most_waiting: int = 200) -> None:
        """Let so many through at a time to one account from one network, and to all accounts from one network.

        At most `most_waiting` are kept at one gate.
        """
        self._account = account
        self._network = network
        self._most = most_waiting
        self._gates: dict[bytes, tuple[asyncio.Semaphore, list[int]]] = {}

    @asynccontextmanager
    async def turn(self, account: bytes, network: bytes) -> AsyncIterator[None]:
        """Wait for a turn at both gates and hold it; the keys differ from each other.

        Raises:
            Problem: OVERLOADED, when too many wait at one of them already.
        """
        # The account's gate first: those who wait there keep nobody else of their network waiting.
        async with self._through(account, self._account), self._through(network, self._network):
            yield

    @asynccontextmanager
    async def _through(self, key: bytes, abreast: int) -> AsyncIterator[None]:
        gate, waiting = self._gates.setdefault(key, (asyncio.Semaphore(abreast), [0]))
        if waiting[0] >= self._most:
            raise Problem(ProblemCode.OVERLOADED, "too many at one gate", 1)
        waiting[0] += 1
        try:
            async with gate:
                yield
        finally:
            waiting[0] -= 1
            if not waiting[0]:
                self._gates.pop(key, None)
