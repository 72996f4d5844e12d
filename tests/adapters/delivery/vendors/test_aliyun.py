"""The senders of Aliyun: their requests against what the vendor's packages sent, and what they make of answers."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.adapters.delivery import aliyun_calls
from menshen.adapters.delivery.sms import aliyun, aliyun_intl, aliyun_pnvs
from menshen.core.delivery.messages import Channel, Message, Template
from menshen.core.delivery.verdicts import Verdict
from menshen.core.outward.signatures.acs3 import Acs3Key, authorization, canonical_request
from menshen.core.secret import Secret
from menshen.core.time import Instant
from menshen.ports.delivery import Accepted, DeliveryFailed, DeliveryUnknown, Handover, Sender
from menshen.ports.outward import Answer, Request
from menshen.ports.receipts import ReceiptAsker
from menshen.testing.outward import FakeOutward
from menshen.testing.plugin_rules import settings_of
from menshen.testing.sender_contract import verdict_of
from tests.adapters.outward.service import client, saying, service
from tests.vendors.vectors import recorded, vectors_of

RECORDED = recorded("aliyun_sms")
SENDING = [vector for vector in vectors_of("aliyun_sms") if "biz_id" not in vector["input"]]
(ASKING,) = (vector for vector in vectors_of("aliyun_sms") if "biz_id" in vector["input"])

KEYS = {"access_key_id": "LTAI0000FAKEKEYFORTESTS", "access_key_secret": "FakeSecretForTestsOnly0000000"}
OWN: dict[ModuleType, dict[str, Any]] = {
    aliyun: {**KEYS, "sign_name": "门神测试", "templates": {"default": "SMS_1", "password_changed": "SMS_2"}},
    aliyun_pnvs: {**KEYS, "sign_name": "速通互联验证码", "templates": {"default": "100001"}},
    aliyun_intl: {**KEYS, "from": "MENSHEN", "sign_name": "门神测试", "templates": {"default": "SMS_3"}},
}
CODES = {aliyun: "Code", aliyun_pnvs: "Code", aliyun_intl: "ResponseCode"}
TYPES = pytest.mark.parametrize("module", OWN, ids=lambda module: module.__name__.rpartition(".")[2])


def sender_of(module: ModuleType, outward: Any, **more: Any) -> Any:
    return module.build(settings_of(module.Settings, {**OWN[module], **more}), outward)


def handover_to(
    to: str, *, code: str = "123456", template: Template = Template.CODE_LOGIN, text: str = "", message_id: int = 42
) -> Handover:
    at = Instant(1767225600_000)
    message = Message(Channel.SMS, to, template, "zh", at, code=code)
    return Handover(message, message_id, "0f1e2d3c4b5a69788796a5b4c3d2e1f0", at, text)


async def request_of(sender: Sender, outward: FakeOutward, handover: Handover) -> Request:
    with suppress(DeliveryUnknown):
        await sender.send(handover)
    (request,) = outward.requests
    return request


def values_in(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=True))


async def asked(module: ModuleType, handover: Handover, **more: Any) -> dict[str, str]:
    outward = FakeOutward()
    return values_in((await request_of(sender_of(module, outward, **more), outward, handover)).url)


def type_of(given: dict[str, Any]) -> ModuleType:
    if "phone_number" in given:
        return aliyun_pnvs
    return aliyun_intl if "sender" in given else aliyun


def keys_of(given: dict[str, Any]) -> dict[str, Any]:
    """The settings that stand for the input of a vector."""
    keys = {name: given[name] for name in KEYS}
    if "template_param" in given:
        code = ("code", "{code}")
        rest = [item for item in json.loads(given["template_param"]).items() if item[0] != "code"]
        keys |= {"templates": {"default": given["template_code"]}, "parameters": dict([code, *rest])}
        keys["sign_name"] = given.get("sign_name") or given["sender"]
    elif "sender" in given:
        keys["from"] = given["sender"]
    return {**keys, "endpoint": f"https://{given['endpoint']}"}


def check_signature(request: Request, given: dict[str, Any], wanted: dict[str, Any]) -> None:
    address = urlsplit(request.url)
    headers = dict(request.headers)
    signature = headers.pop("Authorization")
    assert headers.items() < dict(wanted["headers"]).items()
    assert set(headers) | {"host"} == set(RECORDED["least_headers"][0]["input"]["headers"])
    signed = {**headers, "host": address.netloc}
    text = canonical_request(request.method, address.path, address.query, signed, request.body)
    assert signature == authorization(Acs3Key(given["access_key_id"], Secret(given["access_key_secret"])), text, signed)
    # A blank is %20, as in what is signed.
    assert "+" not in request.url


@pytest.mark.parametrize("vector", SENDING, ids=lambda vector: vector["name"])
async def test_it_asks_as_the_vendors_package_does(vector: dict[str, Any]) -> None:
    given, wanted = vector["input"], vector["request"]
    outward = FakeOutward()
    module = type_of(given)
    sender = module.build(settings_of(module.Settings, keys_of(given)), outward)
    code = json.loads(given.get("template_param", "{}")).get("code", "123456")
    handover = handover_to(
        given["phone"], code=code, text=given.get("message", ""), message_id=int(given.get("out_id", 7))
    )
    request = await request_of(sender, outward, handover)
    values = values_in(wanted["target"])
    if module is aliyun:
        # One vector writes 86 before a mainland number, and most have no OutId: the vendor takes both forms.
        values |= {"OutId": given.get("out_id", "7")}
        values["PhoneNumbers"] = values["PhoneNumbers"].removeprefix("86")
    assert (request.method, request.body, values_in(request.url)) == (wanted["method"], b"", values)
    check_signature(request, given, wanted)


async def test_it_asks_for_a_receipt_as_the_vendors_package_does() -> None:
    given, wanted = ASKING["input"], ASKING["request"]
    outward = FakeOutward()
    settings = {name: given[name] for name in KEYS}
    sender = sender_of(aliyun, outward, **settings)
    assert isinstance(sender, ReceiptAsker)
    now = Instant(given["clock"] * 1000)
    with pytest.raises(DeliveryUnknown):
        await sender.ask_receipt(given["biz_id"], to=given["phone"], sent_at=now, nonce=given["nonce"], now=now)
    (request,) = outward.requests
    assert request.url == f"https://{given['endpoint']}{wanted['target']}"
    check_signature(request, given, wanted)


@pytest.mark.parametrize(
    ("to", "by_mainland", "by_intl"),
    [
        ("+8613800138000", "13800138000", ("SendMessageWithTemplate", "8613800138000")),
        # An American number without the eleven digits of a mainland one, and neighbours whose codes begin with 8.
        ("+12025550123", "12025550123", ("SendMessageToGlobe", "12025550123")),
        ("+85251234567", "85251234567", ("SendMessageToGlobe", "85251234567")),
        ("+886912345678", "886912345678", ("SendMessageToGlobe", "886912345678")),
        ("+85366123456", "85366123456", ("SendMessageToGlobe", "85366123456")),
        ("+6591234567", "6591234567", ("SendMessageToGlobe", "6591234567")),
        # A land line is no mobile, and keeps its country.
        ("+8657188888888", "8657188888888", ("SendMessageToGlobe", "8657188888888")),
    ],
)
async def test_a_number_is_of_its_country(to: str, by_mainland: str, by_intl: tuple[str, str]) -> None:
    assert (await asked(aliyun, handover_to(to)))["PhoneNumbers"] == by_mainland
    outward = FakeOutward()
    request = await request_of(sender_of(aliyun_intl, outward), outward, handover_to(to, text="x"))
    assert (request.headers["x-acs-action"], values_in(request.url)["To"]) == by_intl
    outward = FakeOutward()
    sender = sender_of(aliyun_pnvs, outward)
    if to.startswith("+8613"):
        assert values_in((await request_of(sender, outward, handover_to(to))).url)["PhoneNumber"] == by_mainland
    else:
        # Nothing leaves, another sender may have it, and no breaker opens.
        with pytest.raises(DeliveryFailed) as refused:
            await sender.send(handover_to(to))
        assert (refused.value.verdict, outward.requests) == (Verdict.THROTTLED_NUMBER, [])


CANADA_AND_AMERICA = st.integers(2_000_000_000, 9_999_999_999).map(lambda number: f"+1{number}")


@pytest.mark.attack("OT-27")
@given(st.just("+18625550123") | CANADA_AND_AMERICA)
async def test_no_number_abroad_is_taken_for_one_of_the_mainland(to: str) -> None:
    """The digits of +1 862 555 0123 are a mobile of the mainland, whose owner would get the code."""
    outward = FakeOutward()
    sender = sender_of(aliyun, outward, templates={"default": "SMS_1"})
    if to[2] == "2":
        # No mobile of the mainland begins with 12.
        assert values_in((await request_of(sender, outward, handover_to(to))).url)["PhoneNumbers"] == to[1:]
        return
    for refusing in (sender, sender_of(aliyun_pnvs, outward)):
        with pytest.raises(DeliveryFailed) as refused:
            await refusing.send(handover_to(to))
        # Nothing leaves, another sender may have it, and no breaker opens.
        assert (refused.value.verdict, outward.requests) == (Verdict.THROTTLED_NUMBER, [])
        assert to[1:] not in str(refused.value)
    # Where the country code is part of each number, the digits of the two differ.
    intl = [FakeOutward(), FakeOutward()]
    american, chinese = [
        values_in((await request_of(sender_of(aliyun_intl, one), one, handover_to(number, text="x"))).url)["To"]
        for one, number in zip(intl, (to, f"+86{to[1:]}"), strict=True)
    ]
    assert (american, chinese) == (to[1:], f"86{to[1:]}")


async def test_no_receipt_is_asked_for_of_a_number_that_is_never_sent_to() -> None:
    outward, at = FakeOutward(), Instant(1767225600_000)
    with pytest.raises(DeliveryFailed):
        await sender_of(aliyun, outward).ask_receipt("1^0", to="+18625550123", sent_at=at, nonce="0" * 32, now=at)
    assert outward.requests == []


async def test_intl_without_a_template_sends_nothing_to_the_mainland() -> None:
    outward = FakeOutward()
    cases: list[tuple[dict[str, Any], Template]] = [
        ({"templates": {}}, Template.CODE_LOGIN),
        ({}, Template.PASSWORD_CHANGED),
    ]
    for more, template in cases:
        with pytest.raises(DeliveryFailed) as refused:
            await sender_of(aliyun_intl, outward, **more).send(handover_to("+8613800138000", template=template))
        assert (refused.value.verdict, outward.requests) == (Verdict.THROTTLED_NUMBER, [])


async def test_parameters_are_texts_and_keep_zeros() -> None:
    told = await asked(aliyun, handover_to("+8613800138000", code="004821"))
    assert told["TemplateParam"] == '{"code":"004821"}'
    told = await asked(aliyun, handover_to("+8613800138000"), parameters={"c": "{code}", "t": "{minutes}", "p": "门神"})
    assert told["TemplateParam"] == '{"c":"123456","t":"5","p":"门神"}'
    told = await asked(aliyun_pnvs, handover_to("+8613800138000", code="000000"))
    assert told["TemplateParam"] == '{"code":"000000","min":"5"}'


async def test_a_notice_without_parameters_has_none() -> None:
    notice = handover_to("+8613800138000", code="", template=Template.PASSWORD_CHANGED)
    told = await asked(aliyun, notice)
    assert told["TemplateCode"] == "SMS_2"
    assert "TemplateParam" not in told


async def test_parameters_by_place_send_nothing() -> None:
    outward = FakeOutward()
    with pytest.raises(DeliveryFailed) as refused:
        await sender_of(aliyun, outward, parameters=["{code}"]).send(handover_to("+8613800138000"))
    assert (refused.value.verdict, outward.requests) == (Verdict.CONFIG, [])


async def test_intl_says_what_a_message_is_for() -> None:
    code = await asked(aliyun_intl, handover_to("+6591234567", text="x"))
    notice = handover_to("+6591234567", code="", template=Template.PASSWORD_CHANGED, text="x")
    assert (code["Type"], (await asked(aliyun_intl, notice))["Type"]) == ("OTP", "NOTIFY")
    assert "From" not in await asked(aliyun_intl, handover_to("+6591234567", text="x"), **{"from": ""})


@TYPES
async def test_an_endpoint_of_your_own_may_be_private(module: ModuleType) -> None:
    for endpoint, own in ((None, False), ("https://sms-vpc.example", True), ("https://sms-vpc.example/", True)):
        outward = FakeOutward()
        sender = sender_of(module, outward, **({"endpoint": endpoint} if endpoint else {}))
        request = await request_of(sender, outward, handover_to("+8613800138000"))
        assert request.own_host is own
        assert request.url.startswith("https://sms-vpc.example/?" if own else "https://dy")


@TYPES
async def test_what_arrives_is_what_was_signed(module: ModuleType) -> None:
    body = json.dumps({CODES[module]: "OK"}).encode()
    said = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    async with service(saying(said)) as vendor:
        sender = sender_of(module, client(), endpoint=f"http://localhost:{vendor.port}", timeout_seconds=60)
        assert await sender.send(handover_to("+8613800138000", text="x")) == Accepted()
    (arrived,) = vendor.heard
    first, *lines = arrived.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    names = headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    signed = {name: headers[name] for name in names}
    text = canonical_request(method, "/", urlsplit(target).query, signed, b"")
    key = Acs3Key(KEYS["access_key_id"], Secret(KEYS["access_key_secret"]))
    assert headers["authorization"] == authorization(key, text, signed)


# --- answers ----------------------------------------------------------------------------------------------------------


async def judged(module: ModuleType, answer: Answer, to: str = "+8613800138000") -> tuple[Verdict, Any]:
    return await verdict_of(sender_of(module, FakeOutward(answer)), handover_to(to))


@pytest.mark.parametrize("module", [aliyun, aliyun_pnvs], ids=["aliyun", "pnvs"])
@pytest.mark.parametrize("recorded", RECORDED["answers"], ids=lambda answer: answer["name"])
async def test_each_recorded_answer_has_its_verdict(module: ModuleType, recorded: dict[str, Any]) -> None:
    answer = Answer(recorded["status"], recorded["headers"], recorded["body"].encode())
    verdict, told = await judged(module, answer)
    assert verdict == recorded["verdict"]
    if module is aliyun and verdict is Verdict.ACCEPTED:
        assert told == Accepted("900619746936498440^0", 1)


@TYPES
async def test_the_table_holds_with_the_services_statuses_alone(module: ModuleType) -> None:
    assert {Verdict.ACCEPTED, Verdict.NUMBER, Verdict.CONFIG} <= {*module.ANSWERS.values()}
    for code, verdict in module.ANSWERS.items():
        body = json.dumps({"Code": code, "ResponseCode": code}).encode()
        assert (await judged(module, Answer(200, {}, body)))[0] is verdict, code
        refused = verdict if verdict is not Verdict.ACCEPTED else Verdict.UNKNOWN
        for status in (400, 403, 404):
            assert (await judged(module, Answer(status, {}, body)))[0] is refused, code
        for status in (201, 302, 401, 429, 500, 502, 503, 504):
            assert (await judged(module, Answer(status, {}, body)))[0] is Verdict.UNKNOWN, code


@TYPES
async def test_the_gateway_refuses_with_its_own_statuses_alone(module: ModuleType) -> None:
    for entry, verdict in aliyun_calls.GATEWAY.items():
        for code in (entry.replace("*", ""), entry.replace("*", "X.Y")):
            body = json.dumps({"Code": code, "ResponseCode": code}).encode()
            for status in (400, 403, 404):
                found, told = await judged(module, Answer(status, {}, body))
                assert found is verdict, code
                if isinstance(told, DeliveryFailed):
                    assert told.code == entry
            for status in (200, 429, 500, 503):
                assert (await judged(module, Answer(status, {}, body)))[0] is Verdict.UNKNOWN, code


@pytest.mark.parametrize(
    "code",
    ["ok", "OK ", "InvalidAccessKeyId", "isv.MOBILE_NUMBER_ILLEGAL.X", "ISV.OUT_OF_SERVICE", "throttling", "", "*"],
)
@TYPES
async def test_a_code_that_is_nearly_one_is_unknown(module: ModuleType, code: str) -> None:
    for status in (200, 400):
        body = json.dumps({"Code": code, "ResponseCode": code}).encode()
        assert (await judged(module, Answer(status, {}, body)))[0] is Verdict.UNKNOWN


async def test_a_longer_beginning_is_nearer_and_the_code_itself_is_nearest() -> None:
    table = {"A*": Verdict.NUMBER, "A.B*": Verdict.CONFIG, "A.B.C": Verdict.VENDOR_DOWN}
    for code, entry in {"A.X": "A*", "A.B.X": "A.B*", "A.B.C": "A.B.C", "A.B.CD": "A.B*"}.items():
        with pytest.raises(DeliveryFailed) as refused:
            aliyun_calls.demand_accepted(aliyun_calls.Told(200, {"Code": code}), table)
        assert (refused.value.code, refused.value.verdict) == (entry, table[entry])


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("3", 3), ("300", 300), ("301", 0), ("1500", 0), ("0", 0), ("-1", 0), ("1.5", 0), ("soon", 0), ("９", 0), ("", 0)],
)
async def test_a_wait_is_taken_where_it_can_be_one(header: str, seconds: float) -> None:
    answer = Answer(400, {"x-acs-retry-after": header}, b'{"Code": "Throttling.User"}')
    _, told = await judged(aliyun, answer)
    assert told.retry_after == seconds


@pytest.mark.parametrize("receipt", [None, 5, ["x"], "", "a b", "x" * 65, "号", "1\n"])
@pytest.mark.parametrize(
    ("module", "made"),
    [
        (aliyun, lambda receipt: {"Code": "OK", "BizId": receipt}),
        (aliyun_pnvs, lambda receipt: {"Code": "OK", "Model": {"BizId": receipt}}),
        (aliyun_pnvs, lambda receipt: {"Code": "OK", "Model": receipt}),
        (aliyun_intl, lambda receipt: {"ResponseCode": "OK", "MessageId": receipt}),
    ],
)
async def test_an_odd_receipt_is_left_out_of_an_accepted_message(module: ModuleType, made: Any, receipt: Any) -> None:
    assert (await judged(module, Answer(200, {}, json.dumps(made(receipt)).encode())))[1] == Accepted()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["OK", "isv.OUT_OF_SERVICE"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["Code", "ResponseCode", "BizId", "Model", "MessageId"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(
    st.sampled_from([*OWN]),
    st.integers(200, 599) | st.sampled_from([200, 400]),
    st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()),
)
async def test_any_answer_ends_in_one_of_three_ways(module: ModuleType, status: int, body: bytes) -> None:
    verdict, _ = await judged(module, Answer(status, {}, body))
    if verdict is Verdict.ACCEPTED:
        assert status == 200
        assert json.loads(body)[CODES[module]] == "OK"


async def test_each_message_has_its_own_number_and_nonce() -> None:
    outward = FakeOutward(Answer(200, {}, b'{"Code": "OK"}'))
    sender = sender_of(aliyun, outward)
    first = handover_to("+8613800138000")
    for handover in (first, replace(first, message_id=43, nonce="1" * 32)):
        await sender.send(handover)
    told = [(values_in(one.url)["OutId"], one.headers["x-acs-signature-nonce"]) for one in outward.requests]
    assert told == [("42", first.nonce), ("43", "1" * 32)]
