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

    async def uses(self, key: bytes, window: int, now: Instant) -> int:
        """Return the acts that were charged to a claim of this key in the last `window` ms."""
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
        """Delete each counter of `keys` with its parts, and refund one attempt on each of `forgive`.

        The key of a part is the key of its counter and 32 bytes more.

        This is one call, because a transaction must change several counters in the store's order. Two transactions with
        different orders would wait for each other.
        """
        ...

    async def charge(self, claims: Sequence[Claim], now: Instant, *, kept: Sequence[Claim] = ()) -> int | None:
        """Charge one act to all of `kept` if each of them has room, else to all of `claims`, or to none.

        Return None if it was charged, else the seconds until all of `kept`, or all of `claims`, have room.
        Atomic: concurrent callers never exceed a claim together. A key that is in both has one limit.
        """
        ...
