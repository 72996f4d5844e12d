"""Track the hash prefixes on accounts, so that refused passwords take as long as the slowest of them.

Imports note the prefixes that they bring, and each process notes the prefix of the hashes it makes. A walk over all
accounts, in batches, finds prefixes that were not noted, because another program or a manual change stored them. The
walk also deletes prefixes that no account has any more. A prefix is deleted if a complete walk did not find it and it
was not noted for some time before the walk began. (docs/security/attacks.md EN-2; decision 0030.)
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from menshen.core.login.hash_costs import head_of
from menshen.core.problems import Problem
from menshen.core.time import HOUR, Instant, after
from menshen.flows.background.clock import ClockWatch
from menshen.ports.hashing import PasswordHasher
from menshen.ports.store.store import Store
from menshen.ports.world import World

EVERY_SECONDS: Final = 15.0
SLICE: Final = 500
"""Accounts in a round, by primary key: about 1 ms of the event loop. A million accounts take eight hours."""

RENEWED: Final = HOUR
"""Time after which a process notes its prefix again.

If a prefix was not noted for twice this time before a walk, no process makes it any more.
"""


class HashWatch:
    """Track the prefixes in one process."""

    def __init__(
        self, *, store: Store, hasher: PasswordHasher, world: World, clocks: ClockWatch | None = None, most: int = SLICE
    ) -> None:
        """Take the ports, and read nothing yet. A round of the walk reads `most` accounts."""
        self._store = store
        self._hasher = hasher
        self._world = world
        self._clocks = clocks
        self._most = most
        self._reached = 0
        self._begun = Instant(0)
        self._met: set[str] = set()

    async def look(self) -> None:
        """Pass the noted prefixes to the hasher, and note the prefix it makes. Raises Problem as the store does."""
        now = self._world.now()
        noted = await self._store.read.hash_heads.list_all()
        self._hasher.expect(noted)
        own = self._hasher.head
        if own not in noted or now - noted[own] >= RENEWED:
            await self._store.write(lambda tx: tx.hash_heads.note([own], now))

    async def walk(self) -> None:
        """Read the next batch of accounts, and note new prefixes. Raises Problem.

        After the last account, delete the prefixes that the walk did not find.
        """
        now = self._world.now()
        if not self._reached:
            self._begun = now
        slice_ = await self._store.read.hash_heads.walk(self._reached, most=self._most)
        met = {head_of(text) for _, text in slice_} - {""}
        if fresh := met - self._met - set(await self._store.read.hash_heads.list_all()):
            await self._store.write(lambda tx: tx.hash_heads.note(fresh, now))
        self._met |= met
        if len(slice_) == self._most:
            self._reached = slice_[-1][0]
            return
        long_ago = after(self._begun, -2 * RENEWED)
        noted = await self._store.read.hash_heads.list_all()
        gone = [head for head, at in noted.items() if head not in self._met and at <= long_ago]
        # By a clock that is ahead, everything was noted long ago.
        if gone and not (self._clocks and self._clocks.doubted):
            await self._store.write(lambda tx: tx.hash_heads.forget(gone, noted_by=long_ago))
        self._reached, self._met = 0, set()

    async def keep(self) -> None:
        """Run one round of all tasks. Raises Problem as the store does."""
        await self.walk()
        await self.look()
        # If the hash queue is full, the measurement waits for the next round.
        with suppress(Problem):
            await self._hasher.learn()
