"""Instants and spans. Reading the clock is the world's business (`menshen.app.world`)."""

from __future__ import annotations

from typing import Final, NewType

Instant = NewType("Instant", int)
"""Epoch milliseconds. `now == expires_at` means expired, everywhere."""

NEVER: Final = Instant(0)
"""An instant that has not happened: the wire shows it as 0 or an empty text."""

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR


def after(start: int, span_ms: int) -> Instant:
    """The instant `span_ms` milliseconds after `start`."""
    return Instant(start + span_ms)


def seconds_until(end: int, now: int) -> int:
    """Whole seconds from `now` to `end`, rounded up and at least 1: what a Retry-After header says."""
    return max(1, -(-(end - now) // SECOND))
