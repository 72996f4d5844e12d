"""Tell how tokens ended at captcha vendors: metrics of each, and a line of the log for each without a verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import structlog

from menshen.app.telemetry.metrics import CAPTCHA_SECONDS, CAPTCHAS
from menshen.core.gates.captcha_vendors import Asked, VendorTerms
from menshen.core.line_budget import LineBudget
from menshen.core.time import SECOND, Instant
from menshen.flows.gates.captcha_vendors import Answered

log = structlog.get_logger("menshen.captcha")


@dataclass(frozen=True, slots=True)
class CaptchaAnswers:
    """Report the tokens of `vendors`. `now` gives the time. An app may name a vendor that is not among them."""

    vendors: Iterable[VendorTerms]
    now: Callable[[], Instant]
    _lines: LineBudget = field(default_factory=LineBudget)

    def __post_init__(self) -> None:
        """Begin each series at 0: an alert sees the first failure only as a change."""
        for terms in self.vendors:
            for result in Asked:
                CAPTCHAS.labels(terms.name, result.value)

    def report(self, answered: Answered) -> None:
        """Count a token, and write `captcha.unanswered` unless it was judged. The line holds no token and no key."""
        CAPTCHAS.labels(answered.name, answered.result.value).inc()
        if answered.ms is not None:
            CAPTCHA_SECONDS.labels(answered.name).observe(answered.ms / SECOND)
        if answered.result.is_verdict:
            return
        if seen := self._lines.count((answered.name, answered.result), self.now()):
            log.warning(
                "captcha.unanswered",
                vendor=answered.name,
                type=answered.type,
                result=answered.result.value,
                why=answered.why,
                seen=seen,
            )
