"""Log refused requests, of the wire and of flows. (ASVS 5.0 16.3.1 to 16.3.3.)

Reasons are invalid tokens, missing rights, malformed input, foreign pages, spent quotas and wrong credentials. A flow's
decision about an account is also in the audit log, which names the account.
A flood of bad requests must not fill the log. A worker writes the lines that `core/line_budget.py` allows for
each reason, with the count so far.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from menshen.core.line_budget import LineBudget
from menshen.core.time import Instant

_log = structlog.get_logger("menshen.refusals")


@dataclass(slots=True)
class Refusals:
    """Count the refusals of one worker, by dialect and reason. Both are words of the program, so memory is bounded."""

    _lines: LineBudget = field(default_factory=LineBudget)

    def note(self, dialect: str, reason: str, ip: Callable[[], str], now: Instant, request_id: str = "") -> None:
        """Count a refusal, and write `request.refused` with the count of this hour unless the limit is reached.

        `ip` returns the client's address and is called only for a line. `now` is epoch ms. The line holds no part of
        the request: it may hold a password. `request_id` is what the answer's `X-Request-Id` says, "" without one.
        """
        if count := self._lines.count((dialect, reason), now):
            more = {"request_id": request_id} if request_id else {}
            _log.info("request.refused", dialect=dialect, reason=reason, ip=ip(), seen=count, **more)
