"""Store the prefixes of hashes that accounts may have: few rows, one for each. (`menshen.core.login.hash_costs`)"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from menshen.core.time import Instant


class HashHeadReader(Protocol):
    """Read prefixes."""

    async def list_all(self) -> Mapping[str, Instant]:
        """Return every stored prefix, and when it was last noted."""
        ...

    async def walk(self, after: int, *, most: int) -> Sequence[tuple[int, str]]:
        """Return the next accounts above number `after`, in order: (number, first `LONGEST` characters of the hash)."""
        ...


class HashHeads(HashHeadReader, Protocol):
    """Change prefixes."""

    async def note(self, heads: Collection[str], now: Instant) -> None:
        """Store prefixes, or note them again. An instant never moves backwards."""
        ...

    async def forget(self, heads: Collection[str], *, noted_by: Instant) -> None:
        """Delete those that were last noted at `noted_by` or before."""
        ...
