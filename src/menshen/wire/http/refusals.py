"""Log refused requests, of the wire and of flows. (ASVS 5.0 16.3.1 to 16.3.3.)

Reasons are invalid tokens, missing rights, malformed input, foreign pages, spent quotas and wrong credentials. A flow's
decision about an account is also in the audit log, which names the account.
A flood of bad requests must not fill the log. A worker writes at most `LINES_AN_HOUR` lines an hour for each reason.
After them it writes one line at each power of two, with the count so far.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from menshen.core.time import HOUR, Instant

LINES_AN_HOUR: Final = 100
"""Lines of one reason in an hour. After them, only each power of two has a line."""

_log = structlog.get_logger("menshen.refusals")


@dataclass(slots=True)
class Refusals:
    """Count the refusals of one worker, by dialect and reason. Both are words of the program, so memory is bounded."""

    _seen: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)

    def note(self, dialect: str, reason: str, ip: Callable[[], str], now: Instant) -> None:
        """Count a refusal, and write `request.refused` with the count of this hour unless the limit is reached.

        `ip` returns the client's address and is called only for a line. `now` is epoch ms. The line holds no part of
        the request: it may hold a password.
        """
        hour = now // HOUR
        last, count = self._seen.get((dialect, reason), (hour, 0))
        count = count + 1 if last == hour else 1
        self._seen[dialect, reason] = (hour, count)
        if count <= LINES_AN_HOUR or count.bit_count() == 1:
            _log.info("request.refused", dialect=dialect, reason=reason, ip=ip(), seen=count)
