"""A sender that is down is told: in the log, in a metric, and by `menshen outbox`. The client hears nothing of it."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from menshen.app.telemetry.sends import Sends
from menshen.core.audit.events import ALARMS, Tag
from menshen.core.delivery.messages import Channel, MessageState
from menshen.core.delivery.verdicts import Verdict
from menshen.core.line_budget import LINES_AN_HOUR
from menshen.core.time import HOUR, Instant
from menshen.flows.audit.recording import admin_event
from menshen.flows.delivery.reports import Attempt
from tests.app.telemetry.test_telemetry import value
from tests.harness import Harness, open_harness
from tests.wire.weidu.client import Client

PHONE, SECRET = "13800138001", "0123456789abcdef"


async def deliver(h: Harness) -> list[Any]:
    with capture_logs() as lines:
        await h.deliver()
    return [line for line in lines if line["event"] == "message.failed"]


def counted(result: str) -> float:
    return value("menshen_messages_total", channel="sms", sender="webhook", result=result)


async def test_a_webhook_that_is_down(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        environ = {
            "MENSHEN_SMS__SENDER": "webhook",
            "MENSHEN_SMS__WEBHOOK_URL": f"http://127.0.0.1:{taken.getsockname()[1]}/",
            "MENSHEN_SMS__WEBHOOK_SECRET": SECRET,
        }
        async with open_harness(tmp_path, environ) as h:
            failed, given_up = counted("failed"), counted("given_up")
            code, _ = await Client(h).code(PHONE)
            states, told = [], []
            for wait in (10_000, 20_000, 40_000, 80_000):
                told += await deliver(h)
                (stored,) = await h.store.read.outbox.list_all()
                states.append(stored.state)
                h.clock.advance(wait)
            assert await deliver(h) == []
    # The next try would come after the time in which a code is handed over.
    assert states == [MessageState.FAILED] * 3 + [MessageState.GIVEN_UP]
    assert [(line["result"], line["tries"]) for line in told] == [
        ("failed", 1),
        ("failed", 2),
        ("failed", 3),
        ("given_up", 4),
    ]
    assert {line["verdict"] for line in told} == {"not_reached"}
    first = told[0]
    assert (first["log_level"], first["channel"], first["sender"], first["message"]) == ("warning", "sms", "webhook", 1)
    assert first["why"]
    assert (counted("failed") - failed, counted("given_up") - given_up) == (3, 1)
    for secret in (code, PHONE[3:], SECRET):
        assert secret not in str(told)


def test_a_sender_that_is_down_for_long_does_not_fill_the_log() -> None:
    sends, now = Sends({Channel.SMS: ["pigeon"], Channel.EMAIL: ["outbox"]}), Instant(50 * HOUR)

    def tried(number: int, verdict: Verdict, state: MessageState, why: str = "") -> None:
        sends.tried(Attempt(number, Channel.SMS, "pigeon", "+86", verdict, state, why), now)

    with capture_logs() as lines:
        for n in range(300):
            tried(n, Verdict.UNKNOWN, MessageState.UNKNOWN, "HTTP 500")
        tried(1, Verdict.THROTTLED_VENDOR, MessageState.FAILED, "HTTP 503")
        tried(1, Verdict.ACCEPTED, MessageState.SENT)
    assert [line["seen"] for line in lines] == [*range(1, LINES_AN_HOUR + 1), 128, 256, 1]
    assert value("menshen_messages_total", channel="sms", sender="pigeon", result="unknown") == 300


@pytest.mark.parametrize("tag", sorted(ALARMS))
async def test_what_somebody_should_look_at_is_counted(harness: Harness, tag: Tag) -> None:
    before = value("menshen_alarms_total", event=tag.value)
    events = [admin_event(tag, harness.clock.now()), admin_event(Tag.APP_CHANGED, harness.clock.now())]
    await harness.store.write(lambda tx: tx.audit.append(events[0]))
    await harness.store.write(lambda tx: tx.audit.append_all(events))
    await harness.store.write(lambda tx: tx.audit.append(events[1]))
    assert value("menshen_alarms_total", event=tag.value) == before + 2


async def test_a_budget_that_is_spent_is_counted(tmp_path: Path) -> None:
    async with open_harness(tmp_path, {"MENSHEN_LIMITS__SEND_BUDGET_PER_DAY": "2"}) as h:
        before = [value("menshen_alarms_total", event=f"code.budget_{what}") for what in ("half", "spent")]
        for n in range(3):
            captcha = await Client(h, ip=f"10.0.{n}.1").captcha()
            await Client(h, ip=f"10.0.{n}.1").post("/users/mobile/sms", mobile=f"1380013800{n}", captcha_token=captcha)
        after = [value("menshen_alarms_total", event=f"code.budget_{what}") for what in ("half", "spent")]
    assert [now > then for now, then in zip(after, before, strict=True)] == [True, True]
