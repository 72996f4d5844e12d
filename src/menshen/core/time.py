"""Define instants and time spans, and judge a clock. `menshen.app.world` reads the clock.

One machine's clock alone ends nothing: it is compared with the database's instant, and with the mark in the database
and the time that has passed since. (docs/security/attacks.md SG-8, decision 0053.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NewType

Instant = NewType("Instant", int)
"""Epoch milliseconds. Everywhere, `now == expires_at` means expired."""

NEVER: Final = Instant(0)
"""The value for an event that has not happened. The wire shows it as 0 or an empty text."""

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR


def after(start: int, span_ms: int) -> Instant:
    """Return the instant `span_ms` milliseconds after `start`."""
    return Instant(start + span_ms)


def seconds_until(end: int, now: int) -> int:
    """Return the whole seconds from `now` to `end`, rounded up and at least 1, for a Retry-After header."""
    return max(1, -(-(end - now) // SECOND))


CLOCK_BOUND: Final = 5 * MINUTE
"""Clocks that differ by more are in doubt (ms)."""

CLOCKS_APART: Final = 2 * CLOCK_BOUND
"""The most by which two clocks differ that are not in doubt (ms). An instant later than this comes from a wrong one."""

CATCHING_UP: Final = 10
"""While a clock is ahead of the mark, the mark grows by so many times the time that passes."""


@dataclass(frozen=True, slots=True)
class ClockJudged:
    """Hold what is known about a clock.

    `instant` is what is swept by. `known` is certain (NEVER: nothing is), and `mark` is what the database keeps of it.
    `lead` is how far the clock is ahead of what is certain, or apart from the database's (ms, negative: behind that).
    """

    instant: Instant
    known: Instant
    mark: Instant
    lead: int = 0

    @property
    def doubted(self) -> bool:
        """Return whether the clock may be wrong: nothing is swept or ended by it."""
        return abs(self.lead) > CLOCK_BOUND


def judge_clock(
    now: Instant, *, database: Instant, mark: Instant, known: Instant, passed: int, trusted: Instant = NEVER
) -> ClockJudged:
    """Judge the clock that says `now`.

    `database` is the database's own instant (NEVER: it has none), and `mark` the highest that was certain once, or what
    an operator confirmed. `known` was certain `passed` ms ago in this process (NEVER: it asks for the first time).
    `trusted` is what this process expects by the last time that it believed the clock (NEVER: it never did).
    """
    seen = Instant(min(now, database)) if database else now
    passed = passed if known else 0
    expected = Instant(max(mark, known + passed))
    apart = now - database if database else 0
    if abs(apart) > CLOCK_BOUND:
        # It cannot be known which of the two is wrong.
        return ClockJudged(Instant(min(seen, expected or seen)), expected, mark, apart)
    if not expected:
        return ClockJudged(seen, seen, seen)
    if seen - expected > CLOCK_BOUND:
        grown = Instant(min(seen, expected + (CATCHING_UP - 1) * passed))
        return ClockJudged(grown, grown, Instant(max(mark, grown)), seen - expected)
    if expected - seen > CLOCK_BOUND and not (trusted and abs(seen - trusted) <= CLOCK_BOUND):
        # It was turned back, or another was ahead before. What is certain goes on by the time that passes.
        return ClockJudged(seen, expected, mark, seen - expected)
    return ClockJudged(seen, seen, Instant(max(mark, seen)))
