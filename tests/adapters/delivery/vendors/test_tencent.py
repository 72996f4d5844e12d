"""Tencent against what its own package sent, and the answers and receipts that were recorded."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.adapters.delivery.sms.tencent import ANSWERS, Settings, build
from menshen.core.delivery.messages import Channel, Message, Template
from menshen.core.delivery.verdicts import Verdict
from menshen.core.outward.signatures.tc3 import Tc3Call, Tc3Key, headers_of
from menshen.core.secret import Secret
from menshen.core.time import CLOCK_BOUND, DAY, MINUTE, Instant
from menshen.ports.delivery import DeliveryFailed, DeliveryUnknown
from menshen.ports.outward import Answer, NotReached, Outcome, Unknown
from menshen.ports.receipts import Push, Pushed, Receipt, ReceiptAsker, ReceiptReader, Unsigned
from menshen.testing.handovers import NONCE, handover_of
from menshen.testing.outward import FakeOutward
from menshen.testing.plugin_rules import demand_settings, settings_of
from menshen.testing.sender_contract import verdict_of
from tests.vendors.vectors import recorded, vectors_of

NAMED = {vector["name"]: vector for vector in vectors_of("tencent_sms")}
SENT = [name for name, vector in NAMED.items() if "template_params" in vector["input"]]
ANSWERED = recorded("tencent_sms")["answers"]
ID = "5000:1045710669157053657849499619"
NUMBER = "+8613800138000"


def settings_from(given: dict[str, Any], **more: Any) -> Settings:
    """The settings that a vector's input stands for; its first parameter is the code."""
    parameters = ["{code}", "{minutes}"][: len(given.get("template_params", [""]))]
    keys = {
        **{key: given[key] for key in ("secret_id", "secret_key", "sdk_app_id", "sign_name", "region")},
        "sender_id": given.get("sender_id", ""),
        "templates": {"default": given["template_id"]},
        "parameters": parameters,
    }
    settings = settings_of(Settings, {**keys, **more})
    assert isinstance(settings, Settings)
    return settings


def message_to(to: str, code: str = "123456", template: Template = Template.CODE_LOGIN) -> Message:
    return Message(Channel.SMS, to, template, "zh", Instant(1767225600000), code=code)


SETTINGS = settings_from(NAMED["mainland"]["input"])


@pytest.mark.parametrize("name", SENT)
async def test_a_recorded_message_is_sent_again(name: str) -> None:
    vector = NAMED[name]
    given = vector["input"]
    outward = FakeOutward()
    message = message_to(given["phone"], given["template_params"][0])
    now = Instant(given["clock"] * 1000)
    await verdict_of(build(settings_from(given), outward), handover_of(message, message_id=42, now=now))
    (request,) = outward.requests
    assert (request.method, request.url) == (vector["request"]["method"], f"https://{given['host']}/")
    asked = json.loads(request.body)
    assert asked["SessionContext"] == "42"
    headers = dict(vector["request"]["headers"])
    if "session_context" not in given:
        # The package was not asked to send the one thing that we always send.
        del asked["SessionContext"]
        key = Tc3Key(given["secret_id"], Secret(given["secret_key"]))
        call = Tc3Call(given["host"], "sms", "SendSms", "2021-01-11", now, request.body, given["region"])
        recorded_call = Tc3Call(
            given["host"], "sms", "SendSms", "2021-01-11", now, json.dumps(asked).encode(), given["region"]
        )
        assert headers_of(recorded_call, key) == headers
        headers = headers_of(call, key)
    assert json.dumps(asked) == vector["request"]["body"]
    assert dict(request.headers) == headers


def test_one_vector_is_sent_to_the_last_byte() -> None:
    assert [name for name in SENT if "session_context" in NAMED[name]["input"]] == ["mainland, session context"]
    assert len(SENT) == 4


@pytest.mark.parametrize("answer", ANSWERED, ids=[answer["name"] for answer in ANSWERED])
async def test_a_recorded_answer_has_its_verdict(answer: dict[str, Any]) -> None:
    for content_type in ("application/json", "application/json; charset=utf-8", "text/html"):
        outcome = Answer(answer["status"], {"content-type": content_type}, answer["body"].encode())
        sender = build(SETTINGS, FakeOutward(outcome))
        verdict, told = await verdict_of(sender, handover_of(message_to(NUMBER)))
        assert verdict == answer["verdict"]
        if isinstance(told, DeliveryFailed):
            assert told.code in ANSWERS
            assert NUMBER not in str(told)


@pytest.mark.parametrize(("code", "verdict"), ANSWERS.items())
async def test_each_entry_means_its_verdict(code: str, verdict: Verdict) -> None:
    said = code.replace("*", f".{NUMBER}" if code[-2:-1] != "." else NUMBER)
    for told in ({"Error": {"Code": said}}, {"SendStatusSet": [{"Code": said, "SerialNo": ID}]}):
        outcome = Answer(200, {}, json.dumps({"Response": told}).encode())
        got, why = await verdict_of(build(SETTINGS, FakeOutward(outcome)), handover_of(message_to(NUMBER)))
        # An error is never an acceptance, whatever it is called.
        assert got is (Verdict.UNKNOWN if "Error" in told and verdict is Verdict.ACCEPTED else verdict)
        if isinstance(why, DeliveryFailed):
            assert why.code == code
            assert NUMBER not in f"{why} {why!r}"


ACCEPTED: dict[str, Any] = {"Code": "Ok", "SerialNo": ID, "Fee": 1}


@pytest.mark.parametrize(
    "told",
    [
        {"SendStatusSet": [ACCEPTED], "Error": {"Code": "AuthFailure.SignatureFailure"}},
        {"SendStatusSet": [ACCEPTED], "Error": {}},
        {"SendStatusSet": [ACCEPTED, ACCEPTED]},
        {"SendStatusSet": [ACCEPTED, {"Code": "FailedOperation.PhoneNumberInBlacklist"}]},
        {"SendStatusSet": ACCEPTED},
        {"SendStatusSet": [[ACCEPTED]]},
        {"SendStatusSet": [{"SerialNo": ID, "Fee": 1}]},
        {"Error": []},
        {"Error": "AuthFailure.SignatureFailure"},
        [],
        None,
    ],
)
async def test_what_proves_nothing_is_unknown(told: object) -> None:
    outcome = Answer(200, {}, json.dumps({"Response": told}).encode())
    sender = build(SETTINGS, FakeOutward(outcome))
    assert (await verdict_of(sender, handover_of(message_to(NUMBER))))[0] is Verdict.UNKNOWN


async def test_no_error_may_be_written_as_null() -> None:
    outcome = Answer(200, {}, json.dumps({"Response": {"SendStatusSet": [ACCEPTED], "Error": None}}).encode())
    accepted = await build(SETTINGS, FakeOutward(outcome)).send(handover_of(message_to(NUMBER)))
    assert (accepted.receipt, accepted.parts) == (ID, 1)


async def test_the_mainland_needs_a_sign_name_and_others_do_not() -> None:
    settings = settings_from(NAMED["mainland"]["input"], sign_name="")
    outward = FakeOutward()
    verdict, _ = await verdict_of(build(settings, outward), handover_of(message_to(NUMBER)))
    assert (verdict, outward.requests) == (Verdict.CONFIG, [])
    for number in ("+85251234567", "+18625550123", "+886912345678"):
        outward = FakeOutward()
        await verdict_of(build(settings, outward), handover_of(message_to(number)))
        asked = json.loads(outward.requests[0].body)
        assert asked["PhoneNumberSet"] == [number]
        assert "SignName" not in asked


async def test_a_notice_has_its_own_template_and_places() -> None:
    settings = settings_from(
        NAMED["mainland"]["input"],
        templates={"default": "1", "code_reset": "2", "password_changed": "3", "identifier_changed": "4"},
        notice_parameters=["{detail}"],
    )
    for template, wanted in (
        (Template.CODE_RESET, ("2", ["123456", "5"])),
        (Template.CODE_BIND, ("1", ["123456", "5"])),
        (Template.IDENTIFIER_CHANGED, ("4", ["138****8000"])),
    ):
        outward = FakeOutward()
        code, detail = ("123456", "") if template.has_code else ("", "138****8000")
        message = Message(Channel.SMS, NUMBER, template, "zh", Instant(0), code=code, detail=detail)
        await verdict_of(build(settings, outward), handover_of(message))
        asked = json.loads(outward.requests[0].body)
        assert (asked["TemplateId"], asked["TemplateParamSet"]) == wanted


async def test_another_endpoint_is_signed_and_asked() -> None:
    settings = settings_from(NAMED["mainland"]["input"], endpoint="http://127.0.0.1:8080/")
    outward = FakeOutward()
    await verdict_of(build(settings, outward), handover_of(message_to(NUMBER)))
    (request,) = outward.requests
    assert (request.url, request.headers["Host"], request.own_host) == (
        "http://127.0.0.1:8080/",
        "127.0.0.1:8080",
        True,
    )


# Settings.


def test_settings_keep_the_rules_of_plug_ins() -> None:
    keys = NAMED["mainland"]["input"]
    given = {key: keys[key] for key in ("secret_id", "secret_key", "sdk_app_id")}
    demand_settings(Settings, {**given, "templates": {"default": "1"}})


def problems(**more: Any) -> set[str]:
    return {found.key for found in settings_from(NAMED["mainland"]["input"], **more).find_problems()}


@pytest.mark.parametrize(
    ("more", "keys"),
    [
        ({}, set()),
        ({"parameters": ["{code}"]}, set()),
        ({"parameters": ["{code}", "", "5"]}, set()),
        ({"parameters": ["{code}", "1234567"]}, {"parameters"}),
        ({"parameters": ["{code}{minutes}"]}, {"parameters"}),
        ({"parameters": ["{code}", "Menshen"]}, {"parameters"}),
        ({"parameters": ["{code}", "{detail}"]}, {"parameters"}),
        ({"parameters": ["{code}", "٥"]}, {"parameters"}),
        ({"parameters": ["{minutes}"]}, {"parameters"}),
        ({"parameters": []}, {"parameters"}),
        ({"parameters": {"code": "{code}"}}, {"parameters"}),
        ({"notice_parameters": {"account": "{detail}"}}, {"notice_parameters"}),
        ({"notice_parameters": ["{detail}", "Menshen"]}, set()),
        ({"templates": {"password_changed": "1"}, "parameters": []}, set()),
        ({"templates": {"no_such": "1"}}, {"templates"}),
        ({"endpoint": "http://sms.vendor.example"}, {"endpoint"}),
        ({"endpoint": "https://sms.vendor.example/path"}, {"endpoint"}),
        ({"secret_id": "", "secret_key": "a b", "region": "a\nb"}, {"secret_id", "secret_key", "region"}),
    ],
)
def test_problems_are_found(more: dict[str, Any], keys: set[str]) -> None:
    assert problems(**more) == keys


def test_the_first_place_holds_the_code_by_default() -> None:
    keys = NAMED["mainland"]["input"]
    given = {key: keys[key] for key in ("secret_id", "secret_key", "sdk_app_id")}
    settings = settings_of(Settings, {**given, "templates": {"default": "1"}})
    assert isinstance(settings, Settings)
    assert settings.parameters_of(message_to(NUMBER)) == ["123456"]
    assert [*settings.find_problems()] == []


def test_an_empty_application_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        settings_from({**NAMED["mainland"]["input"], "sdk_app_id": ""})


# Receipts.

PUSHED = recorded("receipts")["tencent"]


def read(body: bytes) -> Pushed | None:
    sender = build(SETTINGS, FakeOutward())
    assert isinstance(sender, ReceiptReader)
    pushed = sender.read_push(Push("https://door.example/receipts/tencent/x", {}, body))
    assert not isinstance(pushed, Unsigned), "it signs nothing"
    return pushed


def test_a_recorded_push_is_read() -> None:
    assert read(PUSHED["body"].encode()) == Pushed(
        [Receipt(ID, delivered=True, code="DELIVRD")], PUSHED["answer"].encode()
    )


def test_a_push_may_tell_of_many_messages() -> None:
    (one,) = json.loads(PUSHED["body"])
    failed = {**one, "sid": "2", "report_status": "FAIL", "errmsg": "MK:0012"}
    personal = {**failed, "sid": "3", "errmsg": "to 13800138000"}
    under_way = {**one, "sid": "4", "report_status": "PENDING"}
    odd = [{"sid": 5}, {"sid": "6"}, {"report_status": "SUCCESS"}, None, {"sid": "7", "report_status": ["SUCCESS"]}]
    pushed = read(json.dumps([one, failed, personal, under_way, *odd]).encode())
    assert pushed is not None
    assert [*pushed.receipts] == [
        Receipt(ID, delivered=True, code="DELIVRD"),
        Receipt("2", delivered=False, code="MK:0012"),
        Receipt("3", delivered=False),
    ]


@pytest.mark.parametrize("body", [b"", b"\xff", b"{}", b"[]", b"[{}]", b"null", b'[{"sid": "1"}]', b"[" * 9999])
def test_what_is_no_push_is_none(body: bytes) -> None:
    assert read(body) is None


def test_a_push_of_more_than_64_kib_is_none() -> None:
    body = PUSHED["body"].encode()
    assert read(body + b" " * (64 * 1024 - len(body))) is not None
    assert read(body + b" " * (64 * 1024 + 1 - len(body))) is None


@given(st.binary(max_size=200))
def test_odd_bytes_raise_nothing(body: bytes) -> None:
    read(body)


async def ask(*outcomes: Outcome, sent_at: int, now: int) -> tuple[Receipt | None, FakeOutward]:
    outward = FakeOutward(*outcomes)
    sender = build(SETTINGS, outward)
    assert isinstance(sender, ReceiptAsker)
    told = await sender.ask_receipt(ID, to=NUMBER, sent_at=Instant(sent_at), nonce=NONCE, now=Instant(now))
    return told, outward


def pulled(*statuses: object) -> Answer:
    return Answer(200, {}, json.dumps({"Response": {"PullSmsSendStatusSet": statuses, "RequestId": "r"}}).encode())


NOW = 1767225600000


async def test_the_recorded_question_is_asked_again() -> None:
    vector = NAMED["receipts of one number"]
    begin, end = (vector["input"][key] * 1000 for key in ("begin", "end"))
    # It begins before the message was noted: the vendor took it earlier, by another clock.
    _, outward = await ask(pulled(), sent_at=begin + CLOCK_BOUND, now=end)
    (request,) = outward.requests
    assert (request.method, request.url) == ("POST", f"https://{vector['input']['host']}/")
    assert request.body.decode() == vector["request"]["body"]
    assert dict(request.headers) == dict(vector["request"]["headers"])


async def test_no_question_goes_back_further_than_the_vendor_answers() -> None:
    _, outward = await ask(pulled(), sent_at=NOW - 30 * DAY, now=NOW)
    assert json.loads(outward.requests[0].body)["BeginTime"] == (NOW - 7 * DAY) // 1000


ONE = {"SerialNo": ID, "ReportStatus": "SUCCESS", "Description": "DELIVRD", "PhoneNumber": NUMBER}


@pytest.mark.parametrize(
    ("statuses", "receipt"),
    [
        ([ONE], Receipt(ID, delivered=True, code="DELIVRD")),
        ([{**ONE, "SerialNo": "other", "ReportStatus": "FAIL"}, ONE], Receipt(ID, delivered=True, code="DELIVRD")),
        ([{**ONE, "ReportStatus": "FAIL", "Description": "UNDELIV"}], Receipt(ID, delivered=False, code="UNDELIV")),
        ([{**ONE, "Description": f"for {NUMBER}"}], Receipt(ID, delivered=True)),
        ([{**ONE, "ReportStatus": "PENDING"}], None),
        ([{**ONE, "ReportStatus": ["SUCCESS"]}], None),
        ([{**ONE, "SerialNo": "other"}], None),
        ([None, 1, []], None),
        ([], None),
    ],
)
async def test_what_the_vendor_knows_of_a_message(statuses: list[object], receipt: Receipt | None) -> None:
    assert (await ask(pulled(*statuses), sent_at=NOW - MINUTE, now=NOW))[0] == receipt


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        (NotReached("ConnectError"), Verdict.NOT_REACHED),
        (Unknown("ReadTimeout"), Verdict.UNKNOWN),
        (Answer(200, {}, b'{"Response": {"Error": {"Code": "RequestLimitExceeded"}}}'), Verdict.THROTTLED_VENDOR),
        (Answer(200, {}, b'{"Response": {"Error": {"Code": "AuthFailure.SignatureFailure"}}}'), Verdict.CONFIG),
        (Answer(200, {}, b'{"Response": {"Error": {"Code": "InternalError"}}}'), Verdict.UNKNOWN),
        (Answer(200, {}, b'{"Response": {"Error": {"Code": "Ok"}}}'), Verdict.UNKNOWN),
        (Answer(200, {}, b'{"Response": {}}'), Verdict.UNKNOWN),
        (Answer(200, {}, b"<html>"), Verdict.UNKNOWN),
        (Answer(502, {}, pulled(ONE).body), Verdict.UNKNOWN),
    ],
)
async def test_a_question_that_has_no_answer(outcome: Outcome, verdict: Verdict) -> None:
    with pytest.raises((DeliveryFailed, DeliveryUnknown)) as raised:
        await ask(outcome, sent_at=NOW - MINUTE, now=NOW)
    assert getattr(raised.value, "verdict", Verdict.UNKNOWN) is verdict
    assert NUMBER not in str(raised.value)
