"""The alert rules, judged by Prometheus's own promtool: each wakes somebody when it must, and none for nothing."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests import server
from tests.deploy.programs import find

pytestmark = pytest.mark.deploy

RULES = Path(__file__).parents[2] / "deploy" / "prometheus-alerts.yaml"
ALERTS: dict[str, dict[str, Any]] = {
    rule["alert"]: rule for rule in yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
}
UP = 'up{job="menshen",instance="a"}'
GRANTED = 'menshen_logins_total{dialect="weidu",method="password",outcome="granted"}'
WRONG = GRANTED.replace("granted", "wrong_credentials")
FAULT = GRANTED.replace("granted", "fault")
CROWDED = GRANTED.replace("granted", "overloaded")
LATE = 'menshen_revocation_lag_seconds_bucket{le="%s"}'
QUIET, FIRST = "0x30", "0x20 1x10"
"""Nothing in half an hour, and one at the 21st minute, in samples of a minute."""


def sends(result: str) -> str:
    return f'menshen_messages_total{{channel="sms",sender="webhook",result="{result}"}}'


def asks(outcome: str) -> str:
    return f'menshen_captcha_verified_total{{provider="turnstile-main",outcome="{outcome}"}}'


def alarm(event: str) -> str:
    return f'menshen_alarms_total{{event="{event}"}}'


def receipts(outcome: str) -> str:
    return f'menshen_sms_receipts_total{{sender="main",outcome="{outcome}"}}'


@dataclass(frozen=True)
class Case:
    """Series as promtool takes them, and whether the alert fires after half an hour. `up` is there in each."""

    alert: str
    series: dict[str, str]
    fires: bool = True


CASES = [
    Case("MenshenNodeAway", {UP: "1x20 0x10"}),
    Case("MenshenNodeAway", {UP: "1x20 _x10"}),
    Case("MenshenNodeAway", {UP: "1x30", 'up{job="menshen",instance="b"}': "0x30"}),
    Case("MenshenNodeAway", {UP: "1x30", 'up{job="other",instance="b"}': "0x30"}, fires=False),
    Case("MenshenDatabaseAway", {"menshen_database_away": "0x20 1x10"}),
    Case("MenshenRevocationsUnheard", {"menshen_revocation_silence_seconds": "0.1x20 60x10"}),
    Case("MenshenClockDoubted", {"menshen_clock_doubt_seconds": "0x20 400x10"}),
    Case("MenshenClockDoubted", {"menshen_clock_doubts_total": "0x25 1x5", "menshen_clock_doubt_seconds": "0x30"}),
    Case("MenshenRevocationsLate", {LATE % "0.3": QUIET, LATE % "0.35": "0+60x30", LATE % "+Inf": "0+60x30"}),
    Case(
        "MenshenRevocationsLate", {LATE % "0.1": "0+60x30", LATE % "0.35": "0+60x30", LATE % "+Inf": "0+60x30"}, False
    ),
    Case("MenshenOverloaded", {CROWDED: "0+120x30"}),
    # Nobody has logged in since the start: the series of logins is at 0, or not there at all.
    Case("MenshenGuessing", {WRONG: "0+120x30", GRANTED: QUIET}),
    Case("MenshenGuessing", {WRONG: "0+120x30"}),
    Case("MenshenGuessing", {WRONG: "0+600x30", GRANTED: "0+60x30"}),
    Case("MenshenGuessing", {WRONG: "0+120x30", GRANTED: "0+60x30"}, fires=False),
    Case("MenshenGuessing", {WRONG: "0+30x30", GRANTED: QUIET}, fires=False),
    Case("MenshenFaults", {FAULT: "0x25 1x5"}),
    Case("MenshenSenderFailing", {sends("failed"): "0x25 1 2 3 4 5", sends("accepted"): QUIET}),
    Case("MenshenSenderFailing", {sends("unknown"): "0x25 3x5", sends("accepted"): QUIET}),
    # A vendor that stumbles now and then is retried, and wakes nobody.
    Case("MenshenSenderFailing", {sends("failed"): "0+1x30", sends("accepted"): "0+20x30"}, fires=False),
    Case("MenshenSenderFailing", {sends("failed"): "0x25 1x5", sends("accepted"): QUIET}, fires=False),
    Case("MenshenMessagesLost", {sends("unknown"): FIRST}),
    Case("MenshenMessagesLost", {sends("given_up"): FIRST}),
    Case("MenshenMessagesLost", {sends("expired"): FIRST}),
    Case("MenshenMessagesLost", {sends("expired").replace("webhook", ""): FIRST}),
    Case("MenshenMessagesLost", {sends("failed"): "0+1x30"}, fires=False),
    Case("MenshenMessagesLost", {sends("superseded"): "0+1x30"}, fires=False),
    # Codes that a newer one replaced belong to no sender.
    Case("MenshenSenderFailing", {sends("superseded").replace("webhook", ""): "0+5x30"}, fires=False),
    Case("MenshenMessagesWait", {"menshen_outbox_oldest_seconds": "0x20 61x10"}),
    Case("MenshenMessagesWait", {"menshen_outbox_oldest_seconds": "10+0x28 61 61"}, fires=False),
    Case("MenshenMessagesUnreadable", {alarm("message.unreadable"): FIRST}),
    Case("MenshenSenderBroken", {'menshen_sms_breaker{sender="main"}': "0x20 2x10"}),
    Case("MenshenSenderBroken", {'menshen_sms_breaker{sender="main"}': "0x20 1x10"}, fires=False),
    Case("MenshenSenderSpent", {alarm("sms.sender_spent"): FIRST}),
    Case("MenshenSenderSpent", {alarm("sms.sender_down"): FIRST}, fires=False),
    Case("MenshenMessagesUndelivered", {receipts("failed"): "0+1x30", receipts("delivered"): "0+2x30"}),
    Case("MenshenMessagesUndelivered", {receipts("failed"): "0+1x30", receipts("delivered"): QUIET}),
    Case("MenshenMessagesUndelivered", {receipts("failed"): "0+1x30", receipts("delivered"): "0+9x30"}, fires=False),
    Case("MenshenMessagesUndelivered", {receipts("failed"): "0x25 1x5", receipts("delivered"): QUIET}, fires=False),
    Case("MenshenReceiptsRefused", {receipts("refused"): "0x20 7x10"}),
    Case("MenshenReceiptsRefused", {receipts("refused"): FIRST}, fires=False),
    Case("MenshenReceiptsRefused", {receipts("unmatched"): "0+9x30"}, fires=False),
    Case("MenshenCaptchaVendorAway", {asks("unknown"): "0x25 1 2 3 4 5", asks("passed"): QUIET}),
    Case("MenshenCaptchaVendorAway", {asks("breaker_open"): "0x25 9x5", asks("passed"): "0x25 1x5"}),
    # A question that goes wrong now and then wakes nobody, nor do bad tokens.
    Case("MenshenCaptchaVendorAway", {asks("unknown"): "0+1x30", asks("passed"): "0+20x30"}, fires=False),
    Case("MenshenCaptchaVendorAway", {asks("unknown"): QUIET, asks("failed"): "0+20x30"}, fires=False),
    Case("MenshenCaptchaVendorSpent", {asks("spent"): FIRST}),
    Case("MenshenCaptchaVendorSpent", {asks("unknown"): "0+1x30"}, fires=False),
    Case("MenshenBudgetHalf", {alarm("code.budget_half"): FIRST}),
    Case("MenshenBudgetHalf", {alarm("code.budget_spent"): FIRST}, fires=False),
    Case("MenshenBudgetSpent", {alarm("code.budget_spent"): FIRST}),
    Case("MenshenPumping", {alarm("code.prefix_pumped"): FIRST}),
]


def firing(tmp_path: Path, series: dict[str, str]) -> set[str]:
    """Let promtool run the rules over half an hour of samples. Return the alerts that fire at its end."""
    asked = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                # None is expected, so promtool names each that fires.
                "alert_rule_test": [{"eval_time": "30m", "alertname": alert, "exp_alerts": []} for alert in ALERTS],
            }
        ],
    }
    file = tmp_path / "asked.yaml"
    file.write_text(json.dumps(asked))
    done = subprocess.run(
        [find("promtool"), "test", "rules", file], capture_output=True, text=True, timeout=60, check=False
    )
    told = done.stdout + done.stderr
    fired = set(re.findall(r"^    alertname: (\w+), time: 30m, $", told, re.MULTILINE))
    assert (done.returncode == 0) == (not fired), told
    return fired


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.alert}-{'fires' if case.fires else 'rests'}")
def test_an_alert_fires_when_it_must(tmp_path: Path, case: Case) -> None:
    fired = firing(tmp_path, {UP: "1x30"} | case.series)
    assert (case.alert in fired) == case.fires, fired


def test_each_alert_has_a_case() -> None:
    assert {case.alert for case in CASES if case.fires} == set(ALERTS)


def scraped(running: server.Server) -> dict[str, float]:
    """Return the series of a server as promtool writes them, with their values."""
    families = text_string_to_metric_families(running.call("GET", "/metrics").body.decode())
    return {
        sample.name + "{" + ",".join(f'{key}="{value}"' for key, value in sample.labels.items()) + "}": sample.value
        for family in families
        for sample in family.samples
    }


@pytest.fixture(scope="module", params=["1", "2"], ids=["one worker", "two workers"])
def fresh(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, float]]:
    """What a server tells that nobody has called yet."""
    running = server.start(tmp_path_factory.mktemp("fresh") / "data", "--workers", request.param)
    try:
        yield scraped(running)
    finally:
        running.stop()


def test_a_healthy_quiet_server_wakes_nobody(tmp_path: Path, fresh: dict[str, float]) -> None:
    assert firing(tmp_path, {UP: "1x30"} | {name: f"{value:f}x30" for name, value in fresh.items()}) == set()


def test_a_healthy_busy_server_wakes_nobody(tmp_path: Path, fresh: dict[str, float]) -> None:
    """Logins, some wrong passwords, messages, one of which is tried again now and then."""
    busy = {name: "0+300x30" for name in fresh if 'outcome="granted"' in name or 'result="accepted"' in name}
    busy |= {name: "0+40x30" for name in fresh if 'outcome="wrong_credentials"' in name}
    busy |= {name: "0x9 1x9 2x9" for name in fresh if 'result="failed"' in name}
    assert len(busy) > 9
    assert firing(tmp_path, {UP: "1x30"} | {name: f"{value:f}x30" for name, value in fresh.items()} | busy) == set()


def test_series_that_alerts_ask_for_begin_at_0(fresh: dict[str, float]) -> None:
    """The first fault, failure or spent budget is seen as a change only if there was a 0 before it."""
    for dialect in ("weidu", "careyshop"):
        for outcome in ("granted", "wrong_credentials", "overloaded", "fault"):
            labels = f'dialect="{dialect}",method="password",outcome="{outcome}"'
            assert fresh[f"menshen_logins_total{{{labels}}}"] == 0
    for channel in ("sms", "email"):
        for result in ("accepted", "failed", "given_up", "unknown"):
            assert fresh[f'menshen_messages_total{{channel="{channel}",result="{result}",sender="outbox"}}'] == 0
        for result in ("given_up", "unknown", "expired"):
            assert fresh[f'menshen_messages_total{{channel="{channel}",result="{result}",sender=""}}'] == 0
    assert fresh['menshen_sms_breaker{sender="outbox"}'] == 0
    for event in (
        "code.budget_half", "code.budget_spent", "code.prefix_pumped", "message.unreadable", "sms.sender_spent",
    ):  # fmt: skip
        assert fresh[alarm(event)] == 0
