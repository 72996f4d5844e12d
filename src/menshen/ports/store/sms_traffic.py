"""Store the counts of SMS codes sent and verified, by prefix and day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from menshen.core.codes.sms_traffic import Traffic


class TrafficReader(Protocol):
    """Read counts. Days are numbers since the epoch."""

    async def of_prefix(self, prefix: str, since_day: int) -> tuple[int, int]:
        """Return (sent, verified) from that day on, zeros for none."""
        ...

    async def list_all(self, since_day: int, *, limit: int = 1000) -> Sequence[Traffic]:
        """Return each prefix's sums from that day on, sorted by the number sent, highest first."""
        ...


class SmsTraffic(TrafficReader, Protocol):
    """Count codes: durable, exact under races."""

    async def count(self, prefix: str, country: str, day: int, *, sent: int = 0, verified: int = 0) -> None:
        """Add to the counts of a prefix on a day."""
        ...
