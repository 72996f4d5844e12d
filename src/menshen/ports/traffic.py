"""Counts of SMS codes sent and verified, by prefix and day, at rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from menshen.core.codes.sms_traffic import Traffic


class TrafficReader(Protocol):
    """Looking. Days are numbers since the epoch."""

    async def of_prefix(self, prefix: str, since_day: int) -> tuple[int, int]:
        """(sent, verified) from that day on, zeros for none."""
        ...

    async def list_all(self, since_day: int, *, limit: int = 1000) -> Sequence[Traffic]:
        """Each prefix's sums from that day on, those with most sent first."""
        ...


class SmsTraffic(TrafficReader, Protocol):
    """Counting: durable, exact under races."""

    async def count(self, prefix: str, country: str, day: int, *, sent: int = 0, verified: int = 0) -> None:
        """Add to a prefix's counts of a day."""
        ...
