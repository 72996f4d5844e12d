"""Twilio by what its own package sent and signed, and by what its answers and receipts mean."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from menshen.adapters.delivery.sms.twilio import ANSWERS, TwilioSender
from menshen.core.delivery.verdicts import REFUSALS, Verdict
from menshen.core.findings import Severity
from menshen.ports.delivery import Accepted, DeliveryFailed
from menshen.ports.outward import Answer
from menshen.testing.outward import FakeOutward
from menshen.testing.sender_contract import verdict_of
from tests.adapters.delivery.vendors.twilio_cases import (
    ACCOUNT,
    ANSWERED,
    API_KEY,
    KEYS,
    SENT,
    SID,
    URL,
    answer,
    by_name,
    handover,
    headers_of,
    sender,
    settings,
)

# --- requests ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", SENT, ids=by_name)
async def test_a_message_is_sent_as_by_the_vendors_package(vector: dict[str, Any]) -> None:
    told, wanted = vector["input"], vector["request"]
    keys = {
        name: told[name]
        for name in ("auth_token", "api_key", "api_secret", "from", "messaging_service_sid", "status_callback")
        if name in told
    }
    outward = FakeOutward(answer(201, sid=SID, status="queued", error_code=None))
    sending = TwilioSender(settings(account_sid=told["account_sid"], **keys), outward)
    assert await sending.send(handover(told["text"], told["phone"])) == Accepted(SID)
    (request,) = outward.requests
    assert (request.method, urlsplit(request.url).path) == (wanted["method"], wanted["target"])
    assert request.url.startswith("https://api.twilio.com/")
    assert headers_of(request) == dict(wanted["headers"])
    # A message that comes late holds a dead code: the validity is always sent.
    fields = dict(parse_qsl(wanted["body"], strict_parsing=True)) | {"ValidityPeriod": "300"}
    assert dict(parse_qsl(request.body.decode(), strict_parsing=True)) == fields
    if "validity_period" in told:
        assert request.body.decode() == wanted["body"]


async def test_the_endpoint_is_the_operators() -> None:
    sending, outward = sender(answer(201, sid=SID, status="queued"), endpoint="http://127.0.0.1:8080/")
    await sending.send(handover())
    assert outward.requests[0].url == f"http://127.0.0.1:8080/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    assert outward.requests[0].own_host, "an address of one's own may be private"
    usual, asked = sender(answer(201, sid=SID, status="queued"))
    await usual.send(handover())
    assert not asked.requests[0].own_host


# --- answers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answered", ANSWERED, ids=by_name)
async def test_each_recorded_answer_has_its_verdict(answered: dict[str, Any]) -> None:
    sending, outward = sender(Answer(answered["status"], answered["headers"], answered["body"].encode()))
    verdict, told = await verdict_of(sending, handover())
    assert (verdict, len(outward.requests)) == (answered["verdict"], 1)
    if isinstance(told, DeliveryFailed):
        body = json.loads(answered["body"])
        assert told.code == str(body.get("code") or body["error_code"])


def test_the_table_refuses_and_every_recorded_refusal_is_in_it() -> None:
    assert {*ANSWERS.values()} <= REFUSALS
    refused = {
        code: answered["verdict"]
        for answered in ANSWERED
        if answered["verdict"] in REFUSALS
        for body in [json.loads(answered["body"])]
        for code in [body.get("code") or body["error_code"]]
    }
    assert {code: ANSWERS[code].value for code in refused} == refused


@pytest.mark.parametrize("code", ANSWERS)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429])
async def test_the_code_decides_and_not_the_status(code: int, status: int) -> None:
    sending, _ = sender(answer(status, code=code))
    verdict, told = await verdict_of(sending, handover())
    assert verdict is ANSWERS[code]
    assert isinstance(told, DeliveryFailed)
    assert told.code == str(code)


@pytest.mark.parametrize("code", ANSWERS)
@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_server_at_fault_proves_nothing(code: int, status: int) -> None:
    assert (await verdict_of(sender(answer(status, code=code))[0], handover()))[0] is Verdict.UNKNOWN


async def test_the_wait_that_it_asks_for_is_told() -> None:
    sending, _ = sender(Answer(429, {"retry-after": "7"}, b'{"code": 20429}'))
    with pytest.raises(DeliveryFailed) as caught:
        await sending.send(handover())
    assert (caught.value.verdict, caught.value.retry_after) == (Verdict.THROTTLED_VENDOR, 7)


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (201, {"sid": SID, "status": "queued", "error_code": None}, Verdict.ACCEPTED),
        (201, {"sid": SID, "status": "sent"}, Verdict.ACCEPTED),
        (201, {"sid": "MM" + SID[2:], "status": "accepted", "error_code": None}, Verdict.ACCEPTED),
        (200, {"sid": SID, "status": "queued", "error_code": None}, Verdict.UNKNOWN),
        (202, {"sid": SID, "status": "queued", "error_code": None}, Verdict.UNKNOWN),
        (201, {"sid": "", "status": "queued", "error_code": None}, Verdict.UNKNOWN),
        (201, {"sid": "../" + SID[3:], "status": "queued", "error_code": None}, Verdict.UNKNOWN),
        (201, {"status": "queued", "error_code": None}, Verdict.UNKNOWN),
        (201, {"sid": SID, "error_code": None}, Verdict.UNKNOWN),
        (201, {"sid": SID, "status": "queued", "error_code": 21610}, Verdict.UNKNOWN),
        (201, {"sid": SID, "status": "failed", "error_code": None}, Verdict.UNKNOWN),
        (201, {"sid": SID, "status": "failed", "error_code": 30003}, Verdict.UNKNOWN),
        (201, {"sid": SID, "status": "failed", "error_code": 21610}, Verdict.NUMBER),
        (201, {"sid": SID, "status": "undelivered", "error_code": 20005}, Verdict.VENDOR_DOWN),
        (201, {"code": 21211}, Verdict.UNKNOWN),
        (400, {"error_code": 21211}, Verdict.UNKNOWN),
        *((400, {"code": code}, Verdict.UNKNOWN) for code in ("21211", [21211], True, 1, 21602)),
    ],
)
async def test_only_its_own_word_is_believed(status: int, body: dict[str, Any], verdict: Verdict) -> None:
    assert (await verdict_of(sender(answer(status, **body))[0], handover()))[0] is verdict


@pytest.mark.parametrize(
    ("told", "parts"),
    [("1", 1), ("3", 3), (2, 2), ("32", 32), *((told, 1) for told in ("33", "0", 0, -1, "-1", "9" * 5000))],
)
async def test_the_parts_are_counted_within_bounds(told: Any, parts: int) -> None:
    sending, _ = sender(answer(201, sid=SID, status="queued", num_segments=told))
    assert (await sending.send(handover())).parts == parts


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        {},
        API_KEY,
        {"from": "", "messaging_service_sid": "MG" + "0" * 32},
        {"status_callback": URL},
        {"endpoint": "http://127.0.0.1:9/"},
    ],
)
def test_good_settings_have_no_problem(given: dict[str, Any]) -> None:
    assert [*settings(**{**KEYS, **given}).find_problems()] == []


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"account_sid": ""}, "account_sid"),
        ({"account_sid": "AC/../x"}, "account_sid"),
        ({"account_sid": ACCOUNT + "\n"}, "account_sid"),
        ({"auth_token": ""}, "auth_token"),
        ({"api_key": "SK00", "api_secret": "s"}, "auth_token"),
        ({"api_secret": "s"}, "auth_token"),
        (API_KEY | {"api_secret": ""}, "api_secret"),
        (API_KEY | {"api_key": ""}, "api_secret"),
        ({"from": ""}, "from"),
        ({"messaging_service_sid": "MG" + "0" * 32}, "from"),
        ({"from": "", "messaging_service_sid": "MG"}, "messaging_service_sid"),
        ({"status_callback": "http://login.example.com/r"}, "status_callback"),
        ({"status_callback": "login.example.com"}, "status_callback"),
        ({"endpoint": "http://api.twilio.com"}, "endpoint"),
        ({"endpoint": "api.twilio.com"}, "endpoint"),
        ({"endpoint": "https://api.twilio.com/2010-04-01"}, "endpoint"),
        ({"endpoint": "https://api.twilio.com?x"}, "endpoint"),
        ({"endpoint": "https://api.twilio.com#x"}, "endpoint"),
    ],
)
def test_what_is_wrong_is_told_at_its_key(given: dict[str, Any], key: str) -> None:
    found = [*settings(**{**KEYS, **given}).find_problems()]
    assert [(one.key, one.severity) for one in found] == [(key, Severity.ERROR)]


def test_receipts_that_cannot_be_checked_are_a_warning() -> None:
    found = [*settings(**{**KEYS, **API_KEY}, status_callback=URL).find_problems()]
    assert [(one.key, one.severity) for one in found] == [("status_callback", Severity.WARNING)]
    assert "auth_token" in found[0].text
