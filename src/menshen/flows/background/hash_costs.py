"""Keeping known which hashes may stand on accounts, so that refused passwords are levelled to the dearest of them.

Imports note what they bring, and each process what it makes. A walk over the accounts, a slice at a time, finds what
nobody noted (a program that knows nothing of it, a hand in the database), and what no account has any more: a head that
a whole walk did not meet, and that nobody noted since before it began, goes.
(docs/security/attacks.md EN-2; decision 0030.)
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from menshen.core.login.hash_costs import head_of
from menshen.core.problems import Problem
from menshen.core.time import HOUR, Instant, after
from menshen.ports.hashing import PasswordHasher
from menshen.ports.store.store import Store
from menshen.ports.world import World

EVERY_SECONDS: Final = 15.0
SLICE: Final = 500
"""Accounts a round, by their primary key: about 1 ms of the event loop, and a million of them in eight hours."""

RENEWED: Final = HOUR
"""How often a process notes anew what it makes; what was noted twice as long before a walk nobody makes any more."""


class HashWatch:
    """One process's part in it."""

    def __init__(self, *, store: Store, hasher: PasswordHasher, world: World, most: int = SLICE) -> None:
        """Read nothing yet. A round of the walk takes `most` accounts."""
        self._store = store
        self._hasher = hasher
        self._world = world
        self._most = most
        self._reached = 0
        self._begun = Instant(0)
        self._met: set[str] = set()

    async def look(self) -> None:
        """Tell the hasher what is noted, and note what it makes. Raises Problem as the store."""
        now = self._world.now()
        noted = await self._store.read.hash_heads.list_all()
        self._hasher.expect(noted)
        own = self._hasher.head
        if own not in noted or now - noted[own] >= RENEWED:
            await self._store.write(lambda tx: tx.hash_heads.note([own], now))

    async def walk(self) -> None:
        """One slice of accounts: note what is new there; at their end forget what nobody met. Raises Problem."""
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
        if gone := [head for head, at in noted.items() if head not in self._met and at <= long_ago]:
            await self._store.write(lambda tx: tx.hash_heads.forget(gone, noted_by=long_ago))
        self._reached, self._met = 0, set()

    async def keep(self) -> None:
        """One round of everything. Raises Problem as the store."""
        await self.walk()
        await self.look()
        # A full queue has better things to do: the next round is soon.
        with suppress(Problem):
            await self._hasher.learn()
