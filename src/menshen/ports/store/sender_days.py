"""Store what each sender handed over a day (UTC), over all nodes. (docs/contracts/vendors.md section 1.)"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from menshen.core.delivery.senders import SenderDay, SenderTerms


class SenderDayReader(Protocol):
    """Read counts. A day is its number since the epoch."""

    async def of_day(self, day: int) -> Sequence[SenderDay]:
        """Return what each sender handed over that day, sorted by name. Senders without a message are left out."""
        ...


class SenderDays(SenderDayReader, Protocol):
    """Charge senders: durable, exact under races."""

    async def charge(self, terms: SenderTerms, day: int) -> SenderDay | None:
        """Charge one message of one part to a sender. Return its day with this message, or None at a limit.

        One atomic statement: of racers for the last message of a limit, one gets it.
        """
        ...

    async def adjust(self, sender: str, day: int, *, messages: int = 0, parts: int = 0, cost_micros: int = 0) -> None:
        """Add to a day that was charged: less for a message that was not handed over, more for further parts."""
        ...
