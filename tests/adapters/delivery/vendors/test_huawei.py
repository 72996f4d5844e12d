"""Huawei by what its own package signed, and by what its answers and receipts mean."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.adapters.delivery.sms.huawei import ACCEPTED, ANSWERS, SEE_RESULT, HuaweiSender, Settings
from menshen.core.delivery.messages import Channel, Message, Template
from menshen.core.delivery.verdicts import REFUSALS, Verdict
from menshen.core.findings import Severity
from menshen.core.time import Instant
from menshen.ports.delivery import Accepted, DeliveryFailed, Handover
from menshen.ports.outward import Answer
from menshen.ports.receipts import Push, Pushed, Receipt, ReceiptReader
from menshen.testing.outward import FakeOutward
from menshen.testing.plugin_rules import settings_of
from menshen.testing.sender_contract import verdict_of
from tests.vendors.vectors import recorded

RECORDED = recorded("huawei_sms")
VECTORS, ANSWERED = RECORDED["vectors"], RECORDED["answers"]
PUSHED = recorded("receipts")["huawei"]
MAINLAND = VECTORS[0]["input"]
ID = "d6e3cdd0-522b-4692-8304-a07553cdf591_8539659"


def by_name(recorded: dict[str, Any]) -> str:
    return recorded["name"]


def form_in(vector: dict[str, Any]) -> dict[str, str]:
    return dict(parse_qsl(vector["request"]["body"], strict_parsing=True))


def keys_of(vector: dict[str, Any]) -> dict[str, Any]:
    told, form = vector["input"], form_in(vector)
    return {
        "app_key": told["app_key"],
        "app_secret": told["app_secret"],
        "from": form["from"],
        "templates": {"default": form["templateId"]},
        "signature": form.get("signature", ""),
        "status_callback": form.get("statusCallback", ""),
        "endpoint": f"https://{told['host']}",
    }


KEYS = keys_of(VECTORS[0])


def settings(**given: Any) -> Settings:
    made = settings_of(Settings, given)
    assert isinstance(made, Settings)
    return made


def sender(*outcomes: Answer, **more: Any) -> tuple[HuaweiSender, FakeOutward]:
    outward = FakeOutward(*outcomes)
    return HuaweiSender(settings(**{**KEYS, **more}), outward), outward


def handover(
    to: str = "+8613800138000",
    code: str = "123456",
    template: Template = Template.CODE_LOGIN,
    now: int = MAINLAND["clock"] * 1000,
    detail: str = "",
) -> Handover:
    message = Message(Channel.SMS, to, template, "zh", Instant(now), code=code, detail=detail)
    return Handover(message, 42, "0" * 32, Instant(now), "text")


def answer(status: int, code: object, *results: Any) -> Answer:
    return Answer(status, {}, json.dumps({"code": code, "description": "m", "result": [*results]}).encode())


def result(status: object = ACCEPTED, receipt: object = ID) -> dict[str, Any]:
    return {"total": 1, "originTo": "+8613800138000", "status": status, "smsMsgId": receipt}


GOOD = answer(200, ACCEPTED, result())


# --- requests ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", VECTORS, ids=by_name)
async def test_a_message_is_signed_as_by_the_vendors_package(vector: dict[str, Any]) -> None:
    wanted, form = vector["request"], form_in(vector)
    sending, outward = sender(GOOD, **keys_of(vector))
    (code,) = json.loads(form["templateParas"])
    assert await sending.send(handover(form["to"], code, now=vector["input"]["clock"] * 1000)) == Accepted(ID)
    (request,) = outward.requests
    assert (request.method, urlsplit(request.url).path) == (wanted["method"], wanted["target"])
    assert urlsplit(request.url).netloc == vector["input"]["host"]
    assert dict(request.headers) == dict(wanted["headers"])
    # The number of the message is always sent: the receipt gives it back.
    body = wanted["body"] if "extend" in form else f"{wanted['body']}&extend=42"
    assert request.body.decode() == body


async def form_sent(given: Handover, **more: Any) -> dict[str, str]:
    sending, outward = sender(GOOD, **more)
    await sending.send(given)
    return dict(parse_qsl(outward.requests[0].body.decode(), strict_parsing=True))


async def test_parameters_stand_in_their_places_as_texts() -> None:
    form = await form_sent(handover(code="012345"), parameters=["登录", "{code}", "{minutes}"])
    assert form["templateParas"] == '["登录","012345","5"]'


async def test_a_notice_has_its_own_template_and_parameters() -> None:
    notice = handover(code="", template=Template.PASSWORD_CHANGED, detail="138****8000")
    templates = {"default": "t1", "password_changed": "t2"}
    form = await form_sent(notice, templates=templates, notice_parameters=["{detail}"])
    assert (form["templateId"], form["templateParas"]) == ("t2", '["138****8000"]')
    assert (await form_sent(notice, templates=templates))["templateParas"] == "[]"


async def test_a_message_without_a_template_is_not_sent() -> None:
    sending, outward = sender(GOOD)
    with pytest.raises(DeliveryFailed) as caught:
        await sending.send(handover(code="", template=Template.PASSWORD_CHANGED))
    assert caught.value.verdict is Verdict.CONFIG
    assert outward.requests == []


@pytest.mark.parametrize(
    ("endpoint", "host"),
    [
        ("https://smsapi.cn-north-4.myhuaweicloud.com:443/", "smsapi.cn-north-4.myhuaweicloud.com:443"),
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://[::1]:8080", "[::1]:8080"),
    ],
)
async def test_the_host_is_signed_as_it_is_sent(endpoint: str, host: str) -> None:
    sending, outward = sender(GOOD, endpoint=endpoint)
    await sending.send(handover())
    (request,) = outward.requests
    assert request.url == f"{endpoint.rstrip('/')}/sms/batchSendSms/v1"
    assert request.headers["Host"] == host
    other, other_outward = sender(GOOD)
    await other.send(handover())
    assert request.headers["Authorization"] != other_outward.requests[0].headers["Authorization"]


# --- answers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answered", ANSWERED, ids=by_name)
async def test_each_recorded_answer_has_its_verdict(answered: dict[str, Any]) -> None:
    sending, outward = sender(Answer(answered["status"], {}, answered["body"].encode()))
    verdict, told = await verdict_of(sending, handover())
    # The status of that result is a placeholder, which no table can list.
    wanted = Verdict.UNKNOWN if answered["verdict"] == "by result[0].status" else answered["verdict"]
    assert (verdict, len(outward.requests)) == (wanted, 1)
    if isinstance(told, DeliveryFailed):
        assert told.code == json.loads(answered["body"])["code"]


def test_the_table_refuses_and_says_nothing_of_what_is_shown_elsewhere() -> None:
    assert {*ANSWERS.values()} <= REFUSALS
    assert not SEE_RESULT & {*ANSWERS}
    assert "E000000" not in ANSWERS


@pytest.mark.parametrize("code", ANSWERS)
async def test_a_code_means_the_same_of_the_request_and_of_the_number(code: str) -> None:
    for one in (answer(400, code), answer(200, "E000510", result(code)), answer(200, ACCEPTED, result(code))):
        verdict, told = await verdict_of(sender(one)[0], handover())
        assert verdict is ANSWERS[code]
        assert isinstance(told, DeliveryFailed)
        assert told.code == code
    assert (await verdict_of(sender(answer(500, code))[0], handover()))[0] is Verdict.UNKNOWN


@pytest.mark.parametrize(
    "given",
    [
        answer(201, ACCEPTED, result()),
        answer(400, ACCEPTED, result()),
        answer(500, ACCEPTED, result()),
        answer(200, "E000510", result()),
        answer(200, ACCEPTED),
        answer(200, ACCEPTED, "000000"),
        answer(200, ACCEPTED, result(), result()),
        answer(200, ACCEPTED, result(0)),
        answer(200, ACCEPTED, result(receipt="")),
        answer(200, ACCEPTED, result(receipt=7)),
        answer(200, ACCEPTED, result(receipt="a" * 65)),
        answer(200, ACCEPTED, result(receipt="a b")),
        answer(200, 0, result()),
        answer(400, "E000000"),
        answer(400, "E000510"),
        answer(400, "E000503"),
        answer(400, "e000112"),
        answer(400, ["E000112"]),
        Answer(200, {}, b'{"code": "000000", "result": {"status": "000000", "smsMsgId": "a"}}'),
        Answer(200, {}, b'{"code": "000000", "result": null}'),
        Answer(200),
    ],
)
async def test_any_other_answer_is_unknown(given: Answer) -> None:
    assert (await verdict_of(sender(given)[0], handover()))[0] is Verdict.UNKNOWN


# --- receipts ---------------------------------------------------------------------------------------------------------

URL = "https://login.example.com/receipts/huawei/main"


def read(body: str | bytes) -> Pushed | None:
    reading, outward = sender()
    assert isinstance(reading, ReceiptReader)
    pushed = reading.read_push(Push(URL, {}, body.encode() if isinstance(body, str) else body))
    assert outward.requests == []
    return pushed


def test_the_documented_push_is_read() -> None:
    assert read(PUSHED["body"]) == Pushed([Receipt(ID, delivered=True, code="DELIVRD")])


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("UNDELIV", "UNDELIV"),
        ("MBBLACK", "MBBLACK"),
        ("E200027", "E200027"),
        ("SC:0003", "SC:0003"),
        ("24", "24"),
        ("%2B8613800138000", ""),
        ("13800138000", ""),
        ("MK13800138000", ""),
        ("M1K3800138000", ""),
        ("a b", ""),
        ("%E6%8B%92%E6%94%B6", ""),
        ("X" * 33, ""),
    ],
)
def test_a_failure_has_its_code_and_neither_a_number_nor_a_text(status: str, code: str) -> None:
    assert read(f"smsMsgId={ID}&status={status}") == Pushed([Receipt(ID, delivered=False, code=code)])


@pytest.mark.parametrize("status", ["ACCEPTD", "ENROUTE", "UNKNOWN"])
def test_a_message_under_way_has_no_receipt_yet(status: str) -> None:
    assert read(f"smsMsgId={ID}&status={status}") == Pushed([])


@pytest.mark.parametrize(
    "body",
    [
        "",
        "status=DELIVRD",
        f"smsMsgId={ID}",
        f"smsMsgId={ID}&status=",
        "smsMsgId=&status=DELIVRD",
        "smsMsgId=a%20b&status=DELIVRD",
        f"smsMsgId={'a' * 65}&status=DELIVRD",
        f"smsMsgId={ID}&status=DELIVRD&status=UNDELIV",
        f"smsMsgId={ID}&status=%ff",
        "&".join(f"f{n}=" for n in range(100)) + f"&smsMsgId={ID}&status=DELIVRD",
        '{"smsMsgId": "a", "status": "DELIVRD"}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_push_is_refused(body: str | bytes) -> None:
    assert read(body) is None


@given(st.binary() | st.text().map(str.encode) | st.binary().map(lambda tail: b"smsMsgId=a&status=" + tail))
def test_reading_raises_nothing(body: bytes) -> None:
    pushed = sender()[0].read_push(Push(URL, {}, body))
    assert pushed is None or all(len(one.code) <= 64 for one in pushed.receipts)


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [{}, {"signature": "", "status_callback": ""}, {"endpoint": "http://127.0.0.1:9/"}])
def test_good_settings_have_no_problem(given: dict[str, Any]) -> None:
    assert [*settings(**{**KEYS, **given}).find_problems()] == []


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"app_key": ""}, "app_key"),
        ({"app_secret": ""}, "app_secret"),
        ({"from": ""}, "from"),
        ({"templates": {"code_logn": "t", "default": "t"}}, "templates"),
        ({"parameters": ["{minutes}"]}, "parameters"),
        ({"parameters": ["{code}", "{number}"]}, "parameters"),
        ({"status_callback": "http://login.example.com/r"}, "status_callback"),
        ({"endpoint": "http://smsapi.example"}, "endpoint"),
        ({"endpoint": "https://smsapi.example/sms/batchSendSms/v1"}, "endpoint"),
        ({"endpoint": "https://smsapi.example?x"}, "endpoint"),
    ],
)
def test_what_is_wrong_is_told_at_its_key(given: dict[str, Any], key: str) -> None:
    found = [*settings(**{**KEYS, **given}).find_problems()]
    assert [(one.key, one.severity) for one in found] == [(key, Severity.ERROR)]


def test_parameters_by_names_are_refused() -> None:
    with pytest.raises(ValueError, match="parameters"):
        settings(**KEYS, parameters={"code": "{code}"})
