"""Limit concurrent password attempts on one account, and on the accounts of one network.

Attempts are counted before they are checked. Without a limit, fifty correct logins at once would look like fifty
failures until their hashes are computed. With it, attempts wait for each other. On this node, few attempts on one
account and from one network are then counted but not yet checked. The limit also prevents one account or network from
filling the hash queue for all. (decision 0008.)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from menshen.core.problems import Problem, ProblemCode


class AttemptGate:
    """Limit concurrent attempts with one semaphore for each key. An unused key takes no memory."""

    def __init__(self, *, account: int = 2, network: int = 8, most_waiting: int = 200) -> None:
        """Set how many attempts may run at a time on one account from one network, and on all from one network.

        At most `most_waiting` attempts, with the running ones, are admitted for one key.
        """
        self._account = account
        self._network = network
        self._most = most_waiting
        self._gates: dict[bytes, tuple[asyncio.Semaphore, list[int]]] = {}

    @asynccontextmanager
    async def turn(self, account: bytes, network: bytes) -> AsyncIterator[None]:
        """Wait for a turn at both semaphores, and hold it while the block runs. The two keys must differ.

        Raises:
            Problem: OVERLOADED, if too many attempts wait at one of them already.
        """
        # The account comes first: attempts that wait for it must not block other accounts of their network.
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
