"""Decide whether a service outside is asked now, by how its last answers were. (docs/contracts/vendors.md section 2.)

CLOSED ──5 failures in a row, or more than half of the last 20 within 60 s──> OPEN
OPEN ──the time is over──> HALF: one request is let through
HALF ──success──> CLOSED          HALF ──failure──> OPEN, twice as long, up to 5 minutes
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from menshen.core.time import MINUTE, SECOND

FAILURES_IN_A_ROW: Final = 5
"""Failures without a success between them that open a breaker."""

WINDOW: Final = 20
"""The last requests of which more than half must have failed."""

WINDOW_TIME: Final = 60 * SECOND
"""The time within which these must have ended (ms)."""

FIRST_PAUSE: Final = 30 * SECOND
"""The first pause of a service (ms). It doubles while the service fails."""

LONGEST_PAUSE: Final = 5 * MINUTE
"""The longest pause (ms)."""

BROKEN_PAUSE: Final = 5 * MINUTE
"""The pause after an answer that only an operator can change (ms)."""


class BreakerState(IntEnum):
    """Number the states as the metric shows them."""

    CLOSED = 0
    HALF = 1
    OPEN = 2


@dataclass(slots=True)
class Breaker:
    """Keep the last answers of one service, for one process. Times are running milliseconds, which never leap."""

    _last: deque[tuple[int, bool]] = field(default_factory=lambda: deque(maxlen=WINDOW))
    _in_a_row: int = 0
    _until: int = 0
    _pause: int = 0
    _probed_at: int = 0

    def state(self, now: int) -> BreakerState:
        """Return the state at `now`."""
        if not self._pause:
            return BreakerState.CLOSED
        return BreakerState.OPEN if now < self._until else BreakerState.HALF

    def admits(self, now: int) -> bool:
        """Tell whether a request may go now. While HALF, one may: its result decides what comes then."""
        match self.state(now):
            case BreakerState.CLOSED:
                return True
            case BreakerState.OPEN:
                return False
            case BreakerState.HALF:
                # A probe whose result never came in is replaced after another pause.
                return not self._probed_at or now - self._probed_at >= FIRST_PAUSE

    def begin(self, now: int) -> None:
        """Note that a request goes out."""
        if self.state(now) is BreakerState.HALF:
            self._probed_at = now

    def succeed(self, now: int) -> None:
        """Note an answer of a service that works, be it a refusal. It closes, also where it was asked while OPEN."""
        self._pause = self._probed_at = self._in_a_row = 0
        self._last.append((now, True))

    def fail(self, now: int) -> None:
        """Note that no answer came, or none that can be understood."""
        self._in_a_row += 1
        self._last.append((now, False))
        recent = [good for at, good in self._last if now - at <= WINDOW_TIME]
        many = len(recent) == WINDOW and recent.count(False) * 2 > WINDOW
        state = self.state(now)
        if state is BreakerState.HALF or (
            state is BreakerState.CLOSED and (self._in_a_row >= FAILURES_IN_A_ROW or many)
        ):
            self._open(now, min(LONGEST_PAUSE, self._pause * 2 or FIRST_PAUSE))

    def trip(self, now: int, pause: int = BROKEN_PAUSE) -> None:
        """Open at once: the service says that it takes nothing until an operator acts."""
        self._open(now, pause)

    def _open(self, now: int, pause: int) -> None:
        self._pause, self._until, self._probed_at, self._in_a_row = pause, now + pause, 0, 0
        self._last.clear()
