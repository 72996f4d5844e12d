"""A captcha vendor that gives no verdict is told, in the log and in a metric, and does not fill the log."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from menshen.app.telemetry.captchas import CaptchaAnswers
from menshen.core.gates.captcha_vendors import Asked, VendorTerms
from menshen.core.line_budget import LINES_AN_HOUR
from menshen.core.time import HOUR, Instant
from menshen.flows.gates.captcha_vendors import Answered
from tests.app.telemetry.test_telemetry import value


def counted(name: str, result: Asked) -> float:
    return value("menshen_captcha_verified_total", provider=name, outcome=result.value)


def test_each_series_begins_at_0() -> None:
    CaptchaAnswers([VendorTerms("fresh", "turnstile")], lambda: Instant(0))
    assert [counted("fresh", result) for result in Asked] == [0] * len(Asked)


@pytest.mark.attack("CV-5")
def test_a_vendor_that_is_away_for_long_does_not_fill_the_log() -> None:
    answers = CaptchaAnswers([VendorTerms("guard", "turnstile")], lambda: Instant(50 * HOUR))
    with capture_logs() as lines:
        for _ in range(300):
            answers.report(Answered("guard", "turnstile", Asked.UNKNOWN, "HTTP 500", 12.0))
        answers.report(Answered("guard", "turnstile", Asked.BREAKER_OPEN))
        answers.report(Answered("guard", "turnstile", Asked.PASSED, ms=5.0))
        answers.report(Answered("guard", "turnstile", Asked.FAILED, "used", 5.0))
    assert [line["seen"] for line in lines] == [*range(1, LINES_AN_HOUR + 1), 128, 256, 1]
    assert lines[0] == {
        "event": "captcha.unanswered",
        "log_level": "warning",
        "vendor": "guard",
        "type": "turnstile",
        "result": "unknown",
        "why": "HTTP 500",
        "seen": 1,
    }
    assert (counted("guard", Asked.UNKNOWN), counted("guard", Asked.FAILED)) == (300, 1)
    # What was not asked took no time.
    assert value("menshen_captcha_seconds_count", provider="guard") == 302
