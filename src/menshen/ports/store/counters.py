"""Store attempt counters and quotas: durable, exact under races, counted before a check."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from menshen.core.gates.limits import Claim, Count, Hit
from menshen.core.time import Instant


class CounterReader(Protocol):
    """Read counters without counting."""

    async def peek(self, key: bytes, now: Instant) -> int:
        """Return the attempts in the current window, 0 for none."""
        ...


class Counters(CounterReader, Protocol):
    """Change counters. Keys are keyed digests, so rows do not show whom they count."""

    async def hit(self, hits: Sequence[Hit], now: Instant) -> Sequence[Count]:
        """Count an attempt on each, and return the counts. Atomic: no two callers get the same count."""
        ...

    async def forgive(self, keys: Sequence[bytes]) -> None:
        """Refund one attempt on each, after it was refused unchecked or found right."""
        ...

    async def clear(self, keys: Sequence[bytes], *, forgive: Sequence[bytes] = ()) -> None:
        """Delete each counter of `keys`, and refund one attempt on each of `forgive`.

        This is one call, because a transaction must change several counters in the store's order. Two transactions with
        different orders would wait for each other.
        """
        ...

    async def charge(self, claims: Sequence[Claim], now: Instant) -> int | None:
        """Charge one act to all claims, or to none.

        Return None if it was charged to all, else the seconds until the fullest claim has room.
        Atomic: concurrent callers never exceed a claim together.
        """
        ...
