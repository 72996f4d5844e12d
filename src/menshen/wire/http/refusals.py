"""The log of what was refused, by the wire or by a flow. (ASVS 5.0 16.3.1 to 16.3.3.)

Tokens that are not good, rights that are missing, malformed input, foreign pages, spent quotas, wrong credentials. What
a flow decided about an account is in the audit trail besides, which says about whom.
Whoever sends rubbish must not fill the log: of each reason a worker writes `TOLD` lines an hour, and past them one
line for each power of two, which says how many there were.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from menshen.core.time import HOUR, Instant

TOLD: Final = 100
"""Lines of one reason in an hour; of more refusals each power of two has one line for all."""

_log = structlog.get_logger("menshen.refusals")


@dataclass(slots=True)
class Refusals:
    """Counts of one worker, by dialect and reason: both are words of the program, so it cannot grow."""

    _seen: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)

    def note(self, dialect: str, reason: str, ip: Callable[[], str], now: Instant) -> None:
        """Write `request.refused` with these words and how many there were this hour, unless enough was written.

        `ip` tells who asked, and is asked only for a line; `now` is epoch ms. Nothing of the request itself is told:
        it may hold a password.
        """
        hour = now // HOUR
        last, count = self._seen.get((dialect, reason), (hour, 0))
        count = count + 1 if last == hour else 1
        self._seen[dialect, reason] = (hour, count)
        if count <= TOLD or count.bit_count() == 1:
            _log.info("request.refused", dialect=dialect, reason=reason, ip=ip(), seen=count)
