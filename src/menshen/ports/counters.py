"""Try counters and quotas at rest: durable, exact under races, counted before anything is judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from menshen.core.gates.limits import Claim, Count, Hit
from menshen.core.time import Instant


class CounterReader(Protocol):
    """Looking, without counting."""

    async def peek(self, key: bytes, now: Instant) -> int:
        """Tries counted in the running window, 0 for none."""
        ...


class Counters(CounterReader, Protocol):
    """Keys are keyed digests: rows say nothing about whom they count."""

    async def hit(self, hits: Sequence[Hit], now: Instant) -> Sequence[Count]:
        """Count a try on each, and tell the counts. Atomic: no two racers get the same count."""
        ...

    async def forgive(self, keys: Sequence[bytes]) -> None:
        """Take one try back from each (it was refused unjudged, or judged right)."""
        ...

    async def clear(self, keys: Sequence[bytes], *, forgive: Sequence[bytes] = ()) -> None:
        """Forget each, and take one try back from each of `forgive`.

        In one call, because whoever moves several counters in one transaction must move them in the store's order:
        two that took them in different orders would wait for each other.
        """
        ...

    async def charge(self, claims: Sequence[Claim], now: Instant) -> int | None:
        """Admit one act under every claim, or under none.

        None when admitted and charged to all; else the seconds until the fullest would admit one.
        Atomic: racers never exceed a claim together.
        """
        ...
