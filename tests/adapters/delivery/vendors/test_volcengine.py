"""Volcengine against what its own package sent, and the answers and receipts that were recorded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.adapters.delivery.sms.volcengine import ANSWERS, Settings, build
from menshen.core.delivery.messages import Channel, Message, Template
from menshen.core.delivery.verdicts import Verdict
from menshen.core.time import Instant
from menshen.ports.delivery import DeliveryFailed
from menshen.ports.outward import Answer
from menshen.ports.receipts import Push, Pushed, Receipt, ReceiptAsker, ReceiptReader, Unsigned
from menshen.testing.handovers import handover_of
from menshen.testing.outward import FakeOutward
from menshen.testing.plugin_rules import demand_settings, settings_of
from menshen.testing.sender_contract import verdict_of
from tests.vendors.vectors import recorded, vectors_of

VECTORS = vectors_of("volcengine_sms")
GIVEN = VECTORS[0]["input"]
ANSWERED = recorded("volcengine_sms")["answers"]
ID = "bde1b10d-19cf-460f-abcd-26231a820000"
NUMBER = "+8613800138000"


def settings_from(given: dict[str, Any] = GIVEN, **more: Any) -> Settings:
    keys = {
        **{key: given[key] for key in ("access_key_id", "secret_access_key", "sms_account")},
        "sign_name": given["sign"],
        "templates": {"default": given["template_id"]},
    }
    settings = settings_of(Settings, {**keys, **more})
    assert isinstance(settings, Settings)
    return settings


SETTINGS = settings_from()


def message_to(to: str) -> Message:
    return Message(Channel.SMS, to, Template.CODE_LOGIN, "zh", Instant(1767225600000), code="123456")


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
async def test_a_recorded_message_is_sent_again(vector: dict[str, Any]) -> None:
    given = vector["input"]
    outward = FakeOutward()
    handover = handover_of(message_to(given["phone"]), message_id=int(given["tag"]), now=Instant(given["clock"] * 1000))
    await verdict_of(build(settings_from(given), outward), handover)
    (request,) = outward.requests
    assert request.method == vector["request"]["method"]
    assert request.url == f"https://{given['host']}{vector['request']['target']}"
    assert request.body.decode() == vector["request"]["body"]
    assert dict(request.headers) == dict(vector["request"]["headers"])


@pytest.mark.parametrize("answer", ANSWERED, ids=[answer["name"] for answer in ANSWERED])
async def test_a_recorded_answer_has_its_verdict(answer: dict[str, Any]) -> None:
    outcome = Answer(answer["status"], {}, answer["body"].encode())
    verdict, told = await verdict_of(build(SETTINGS, FakeOutward(outcome)), handover_of(message_to(NUMBER)))
    assert verdict == answer["verdict"]
    if isinstance(told, DeliveryFailed):
        assert told.code in ANSWERS


def test_each_code_of_the_table_was_recorded() -> None:
    told = {json.loads(answer["body"])["ResponseMetadata"].get("Error", {}).get("Code") for answer in ANSWERED}
    assert told == {*ANSWERS, "RE:0500", None}


@pytest.mark.parametrize(
    "told",
    [
        {"ResponseMetadata": {"Error": {"Code": "RE:0006"}}, "Result": {"MessageID": [ID]}},
        {"ResponseMetadata": {"Error": {}}, "Result": {"MessageID": [ID]}},
        {"ResponseMetadata": {}, "Result": {"MessageID": [ID, ID]}},
        {"ResponseMetadata": {}, "Result": {"MessageID": [""]}},
        {"ResponseMetadata": {}, "Result": {"MessageID": ID}},
        {"ResponseMetadata": {}, "Result": [ID]},
        {"ResponseMetadata": {"Error": "RE:0006"}},
        {"ResponseMetadata": {"Error": {"Code": ["RE:0006"]}}},
        {"ResponseMetadata": {"Error": {"Code": "RE:*"}}},
        {"ResponseMetadata": ["Error"]},
    ],
)
async def test_what_proves_nothing_is_unknown(told: object) -> None:
    sender = build(SETTINGS, FakeOutward(Answer(200, {}, json.dumps(told).encode())))
    assert (await verdict_of(sender, handover_of(message_to(NUMBER))))[0] is Verdict.UNKNOWN


async def test_no_error_may_be_written_as_null() -> None:
    told = {"ResponseMetadata": {"Error": None}, "Result": {"MessageID": [ID]}}
    sender = build(SETTINGS, FakeOutward(Answer(200, {}, json.dumps(told).encode())))
    accepted = await sender.send(handover_of(message_to(NUMBER)))
    assert (accepted.receipt, accepted.parts) == (ID, 1)


@pytest.mark.attack("OT-27")
@pytest.mark.parametrize(
    ("number", "written"),
    [
        ("+8613800138000", "13800138000"),
        ("+8619912345678", "19912345678"),
        ("+85251234567", "85251234567"),
        ("+886912345678", "886912345678"),
        ("+6591234567", "6591234567"),
        # Its digits are those of a mobile in the mainland, too.
        ("+18625550123", "+18625550123"),
        ("+13105550123", "+13105550123"),
        # An area code that no mobile of the mainland begins with.
        ("+12125550123", "12125550123"),
    ],
)
async def test_the_country_of_a_number_is_never_guessed(number: str, written: str) -> None:
    outward = FakeOutward()
    await verdict_of(build(SETTINGS, outward), handover_of(message_to(number)))
    assert json.loads(outward.requests[0].body)["PhoneNumbers"] == written


async def test_a_notice_has_its_own_template_and_places() -> None:
    settings = settings_from(
        templates={"default": "1", "identifier_changed": "2"},
        parameters={"code": "{code}", "min": "{minutes}", "app": "门神"},
        notice_parameters={"account": "{detail}"},
    )
    notice = Message(Channel.SMS, NUMBER, Template.IDENTIFIER_CHANGED, "zh", Instant(0), detail="138****8000")
    for message, wanted in (
        (message_to(NUMBER), ("1", '{"code":"123456","min":"5","app":"门神"}')),
        (notice, ("2", '{"account":"138****8000"}')),
    ):
        outward = FakeOutward()
        await verdict_of(build(settings, outward), handover_of(message))
        asked = json.loads(outward.requests[0].body)
        assert (asked["TemplateID"], asked["TemplateParam"]) == wanted


async def test_another_endpoint_is_signed_and_asked() -> None:
    outward = FakeOutward()
    await verdict_of(build(settings_from(endpoint="http://127.0.0.1:8080"), outward), handover_of(message_to(NUMBER)))
    (request,) = outward.requests
    assert request.url == "http://127.0.0.1:8080/?Action=SendSms&Version=2020-01-01"
    assert (request.headers["Host"], request.own_host) == ("127.0.0.1:8080", True)


def test_settings_keep_the_rules_of_plug_ins() -> None:
    given = {key: GIVEN[key] for key in ("access_key_id", "secret_access_key", "sms_account")}
    demand_settings(Settings, {**given, "sign_name": GIVEN["sign"], "templates": {"default": "1"}})


@pytest.mark.parametrize(
    ("more", "keys"),
    [
        ({}, set()),
        ({"parameters": {"code": "{code}", "min": "{minutes}", "app": "Menshen"}}, set()),
        ({"parameters": ["{code}"]}, {"parameters"}),
        ({"parameters": {}}, {"parameters"}),
        ({"notice_parameters": ["{detail}"]}, {"notice_parameters"}),
        ({"endpoint": "http://sms.vendor.example"}, {"endpoint"}),
        ({"endpoint": "https://sms.vendor.example/?Action=SendSms"}, {"endpoint"}),
        ({"access_key_id": "", "secret_access_key": "a b"}, {"access_key_id", "secret_access_key"}),
    ],
)
def test_problems_are_found(more: dict[str, Any], keys: set[str]) -> None:
    assert {found.key for found in settings_from(**more).find_problems()} == keys


# Receipts.

PUSHED = recorded("receipts")["volcengine"]


def read(body: bytes) -> Pushed | None:
    sender = build(SETTINGS, FakeOutward())
    assert isinstance(sender, ReceiptReader)
    assert not isinstance(sender, ReceiptAsker)
    pushed = sender.read_push(Push("https://door.example/receipts/volcengine/x", {}, body))
    assert not isinstance(pushed, Unsigned), "it signs nothing"
    return pushed


def test_a_recorded_push_is_read() -> None:
    assert PUSHED["answer"] == "200"
    assert read(PUSHED["body"].encode()) == Pushed([Receipt(ID, delivered=True, code="0")])


def test_a_push_may_tell_of_many_messages() -> None:
    (one,) = json.loads(PUSHED["body"])
    failed = {**one, "message_id": "2", "status_code": "MK:0012"}
    personal = {**one, "message_id": "3", "status_code": "13800138000"}
    odd = [{"message_id": 5}, {"message_id": "6"}, {"status_code": "0"}, None, {"message_id": "7", "status_code": 0}]
    pushed = read(json.dumps([one, failed, personal, *odd]).encode())
    assert pushed is not None
    assert [*pushed.receipts] == [
        Receipt(ID, delivered=True, code="0"),
        Receipt("2", delivered=False, code="MK:0012"),
        Receipt("3", delivered=False),
    ]


@pytest.mark.parametrize("body", [b"", b"\xff", b"{}", b"[]", b"[{}]", b"null", b'[{"message_id": "1"}]', b"[" * 9999])
def test_what_is_no_push_is_none(body: bytes) -> None:
    assert read(body) is None


def test_a_push_of_more_than_64_kib_is_none() -> None:
    body = PUSHED["body"].encode()
    assert read(body + b" " * (64 * 1024 - len(body))) is not None
    assert read(body + b" " * (64 * 1024 + 1 - len(body))) is None


@given(st.binary(max_size=200))
def test_odd_bytes_raise_nothing(body: bytes) -> None:
    read(body)
