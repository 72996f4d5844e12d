"""Twilio by what its own package sent and signed, and by what its answers and receipts mean."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.adapters.delivery.sms.twilio import ANSWERS, Settings, TwilioSender
from menshen.core.delivery.messages import Channel, Message, Template
from menshen.core.delivery.verdicts import REFUSALS, Verdict
from menshen.core.findings import Severity
from menshen.core.outward.signatures.twilio import signature
from menshen.core.time import Instant
from menshen.ports.delivery import Accepted, DeliveryFailed, DeliveryUnknown, Handover
from menshen.ports.outward import Answer, NotReached, Request, Unknown
from menshen.ports.receipts import Push, Pushed, Receipt, ReceiptAsker, ReceiptReader, Unsigned
from menshen.testing.outward import FakeOutward
from menshen.testing.plugin_rules import settings_of
from menshen.testing.sender_contract import verdict_of
from tests.vendors.vectors import recorded

RECORDED = recorded("twilio_sms")
VECTORS, RECEIPTS, ANSWERED = RECORDED["vectors"], RECORDED["receipts"], RECORDED["answers"]
SENT = [vector for vector in VECTORS if "phone" in vector["input"]]
(ASKED,) = [vector for vector in VECTORS if "sid" in vector["input"]]

SID = ASKED["input"]["sid"]
ACCOUNT = ASKED["input"]["account_sid"]
TOKEN = ASKED["input"]["auth_token"]
KEYS: dict[str, Any] = {"account_sid": ACCOUNT, "auth_token": TOKEN, "from": "+14155550123"}
API_KEY: dict[str, Any] = {"auth_token": "", "api_key": "SK00", "api_secret": "s"}
URL = RECEIPTS[0]["url"]
DELIVERED = Receipt(SID, delivered=True, code="delivered")
RECEIVED = [DELIVERED, Receipt(SID, delivered=False, code="30006")]
NOW = Instant(1_767_225_600_000)
MESSAGE = Message(Channel.SMS, "+14155550100", Template.CODE_LOGIN, "en", NOW, code="123456")


def by_name(recorded: dict[str, Any]) -> str:
    return recorded["name"]


def settings(**given: Any) -> Settings:
    made = settings_of(Settings, given)
    assert isinstance(made, Settings)
    return made


def sender(*outcomes: Answer | NotReached | Unknown, **more: Any) -> tuple[TwilioSender, FakeOutward]:
    outward = FakeOutward(*outcomes)
    return TwilioSender(settings(**{**KEYS, **more}), outward), outward


def handover(text: str = "123456", to: str = MESSAGE.to) -> Handover:
    message = Message(MESSAGE.channel, to, MESSAGE.template, MESSAGE.language, NOW, code=MESSAGE.code)
    return Handover(message, 42, "0" * 32, NOW, text)


def answer(status: int, /, **body: Any) -> Answer:
    return Answer(status, {}, json.dumps(body).encode())


def headers_of(request: Request) -> dict[str, str]:
    """Give all headers that the vendor gets: the client adds the host."""
    return {"Host": urlsplit(request.url).netloc, **request.headers}


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


async def test_a_receipt_is_asked_for_as_by_the_vendors_package() -> None:
    asking, outward = sender(answer(200, sid=SID, status="delivered", error_code=None))
    assert await ask(asking) == DELIVERED
    (request,) = outward.requests
    wanted = ASKED["request"]
    assert (request.method, urlsplit(request.url).path) == (wanted["method"], wanted["target"])
    assert headers_of(request) == dict(wanted["headers"])
    assert request.body == wanted["body"].encode()


async def test_the_endpoint_is_the_operators() -> None:
    sending, outward = sender(answer(201, sid=SID, status="queued"), endpoint="http://127.0.0.1:8080/")
    await sending.send(handover())
    assert outward.requests[0].url == f"http://127.0.0.1:8080/2010-04-01/Accounts/{ACCOUNT}/Messages.json"


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


# --- receipts ---------------------------------------------------------------------------------------------------------


def push(form: dict[str, str], *, url: str = URL, given: str | None = None, body: bytes | None = None) -> Push:
    signed = signature(TOKEN, url, form.items()) if given is None else given
    return Push(url, {"x-twilio-signature": signed}, urlencode(form).encode() if body is None else body)


def form_of(status: str, **more: str) -> dict[str, str]:
    return {"AccountSid": ACCOUNT, "MessageSid": SID, "MessageStatus": status, "To": "+14155550100", **more}


@pytest.mark.parametrize("given", ["X-Twilio-Signature", "sha256_variant"])
@pytest.mark.parametrize(("recorded", "wanted"), [*zip(RECEIPTS, RECEIVED, strict=True)])
def test_a_push_signed_by_the_vendors_package_is_read(recorded: dict[str, Any], wanted: Receipt, given: str) -> None:
    signed = recorded[given] if isinstance(recorded[given], str) else recorded[given]["X-Twilio-Signature"]
    reading, outward = sender()
    assert isinstance(reading, ReceiptReader)
    assert isinstance(reading, ReceiptAsker)
    assert reading.read_push(push(recorded["form"], url=recorded["url"], given=signed)) == Pushed(
        [wanted], content_type="text/plain"
    )
    assert outward.requests == []


@pytest.mark.parametrize(
    ("form", "receipts"),
    [
        (form_of("delivered"), [DELIVERED]),
        (form_of("read"), [Receipt(SID, delivered=True, code="read")]),
        (form_of("failed", ErrorCode="30450"), [Receipt(SID, delivered=False, code="30450")]),
        (form_of("undelivered"), [Receipt(SID, delivered=False, code="undelivered")]),
        (form_of("failed", ErrorCode="+14155550100"), [Receipt(SID, delivered=False, code="failed")]),
        *((form_of(word), []) for word in ("accepted", "queued", "sending", "sent", "canceled", "", "DELIVERED")),
    ],
)
def test_a_message_under_way_has_no_receipt_yet(form: dict[str, str], receipts: list[Receipt]) -> None:
    pushed = sender()[0].read_push(push(form))
    assert isinstance(pushed, Pushed)
    assert [*pushed.receipts] == receipts


GOOD = form_of("delivered")
SIGNED = signature(TOKEN, URL, GOOD.items())


@pytest.mark.parametrize(
    "forged",
    [
        push(GOOD, given=""),
        push(GOOD, given="AAAA"),
        push(GOOD, given="é"),
        Push(URL, {}, urlencode(GOOD).encode()),
        push(form_of("failed"), given=SIGNED),
        push(GOOD | {"MessageSid": "SM" + "1" * 32}, given=SIGNED),
        push(GOOD, url=f"{URL}?", given=SIGNED),
        push(GOOD, url=URL.replace("overseas", "main"), given=SIGNED),
        push(GOOD, given=SIGNED, body=urlencode(GOOD).encode() + b"&MessageStatus=failed"),
        push(GOOD, given=SIGNED, body=b"{}"),
        push(GOOD, given=SIGNED, body=b"\xff\xfe"),
        push(GOOD, given=SIGNED, body=b"a=%ff"),
        push({f"f{n}": "" for n in range(100)} | GOOD),
    ],
)
def test_what_is_forged_is_refused(forged: Push) -> None:
    assert sender()[0].read_push(forged) == Unsigned()


@pytest.mark.parametrize(
    "other",
    [
        push({}),
        push({"MessageStatus": "delivered"}),
        push({"MessageSid": SID}),
        push(GOOD | {"MessageSid": "SM1"}),
    ],
)
def test_what_is_signed_and_no_push_is_refused(other: Push) -> None:
    assert sender()[0].read_push(other) is None


def test_a_name_that_stands_there_twice_is_refused_even_where_it_is_signed() -> None:
    pairs = [*GOOD.items(), ("MessageStatus", "failed")]
    body = urlencode(pairs).encode()
    assert sender()[0].read_push(push(GOOD, given=signature(TOKEN, URL, pairs), body=body)) == Unsigned()


def test_parameters_come_in_any_order() -> None:
    assert sender()[0].read_push(push(dict(reversed(GOOD.items())), given=SIGNED)) is not None


def test_without_a_token_no_receipt_is_believed() -> None:
    for signed in (SIGNED, "", signature("", URL, GOOD.items()), signature("s", URL, GOOD.items())):
        assert sender(**API_KEY)[0].read_push(push(GOOD, given=signed)) == Unsigned()


@given(st.text(), st.dictionaries(st.text(), st.text()), st.binary())
def test_reading_raises_nothing(url: str, headers: dict[str, str], body: bytes) -> None:
    assert sender()[0].read_push(Push(url, headers, body)) == Unsigned()
    assert sender()[0].read_push(Push(url, headers | {"x-twilio-signature": "x"}, body)) == Unsigned()


async def ask(asking: TwilioSender, receipt: str = SID) -> Receipt | None:
    return await asking.ask_receipt(receipt, to=MESSAGE.to, sent_at=NOW, nonce="0" * 32, now=NOW)


@pytest.mark.parametrize(
    ("status", "code", "wanted"),
    [
        ("delivered", None, DELIVERED),
        ("undelivered", 30006, Receipt(SID, delivered=False, code="30006")),
        ("failed", None, Receipt(SID, delivered=False, code="failed")),
        ("failed", "+14155550100", Receipt(SID, delivered=False, code="failed")),
        ("sent", None, None),
        ("queued", None, None),
    ],
)
async def test_what_it_knows_is_told(status: str, code: object, wanted: Receipt | None) -> None:
    asking, _ = sender(answer(200, sid=SID, status=status, error_code=code))
    assert await ask(asking) == wanted


@pytest.mark.parametrize("receipt", ["", "SM1", SID + "0", "../" + SID, SID[:-1] + "/", SID[:-1] + "?", SID + "\n"])
async def test_what_is_no_number_of_a_message_goes_into_no_path(receipt: str) -> None:
    asking, outward = sender(answer(200, sid=receipt, status="delivered"))
    with pytest.raises(DeliveryFailed) as caught:
        await ask(asking, receipt)
    assert outward.requests == []
    assert not receipt or receipt not in str(caught.value)


@pytest.mark.parametrize(
    "outcome",
    [
        Unknown("ReadTimeout"),
        answer(200, sid="SM" + "1" * 32, status="delivered"),
        answer(200, sid=SID),
        answer(200),
        Answer(200, {}, b"<html>"),
        answer(500, code=20500),
        answer(404, message="?"),
    ],
)
async def test_an_answer_that_cannot_be_read_says_nothing(outcome: Answer | Unknown) -> None:
    with pytest.raises(DeliveryUnknown):
        await ask(sender(outcome)[0])


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        (NotReached("ConnectError"), Verdict.NOT_REACHED),
        (answer(401, code=20003), Verdict.CONFIG),
        (answer(404, code=20404), Verdict.CONFIG),
        (answer(429, code=20429), Verdict.THROTTLED_VENDOR),
    ],
)
async def test_a_question_that_was_refused_failed(outcome: Answer | NotReached, verdict: Verdict) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        await ask(sender(outcome)[0])
    assert caught.value.verdict is verdict


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
