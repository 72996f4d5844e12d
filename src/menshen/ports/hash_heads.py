"""Which heads of hashes may stand on accounts, at rest: few rows, one a head. (`menshen.core.login.hash_costs`)"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from menshen.core.time import Instant


class HashHeadReader(Protocol):
    """Looking."""

    async def list_all(self) -> Mapping[str, Instant]:
        """Every head that is noted, and when it last was."""
        ...

    async def walk(self, after: int, *, most: int) -> Sequence[tuple[int, str]]:
        """The next accounts above number `after`, in order: (number, first `LONGEST` characters of the hash)."""
        ...


class HashHeads(HashHeadReader, Protocol):
    """Changing."""

    async def note(self, heads: Collection[str], now: Instant) -> None:
        """Enter them, or note them anew; never with an earlier instant than they have."""
        ...

    async def forget(self, heads: Collection[str], *, noted_by: Instant) -> None:
        """Take out those that nobody noted after `noted_by`."""
        ...
