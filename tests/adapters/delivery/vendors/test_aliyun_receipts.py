"""What the senders of Aliyun read in receipts, pushed and asked for."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.adapters.delivery.sms import aliyun, aliyun_intl
from menshen.core.delivery.verdicts import Verdict
from menshen.core.time import Instant
from menshen.ports.delivery import DeliveryFailed, DeliveryUnknown
from menshen.ports.outward import Answer, NotReached, Outcome, Unknown
from menshen.ports.receipts import Push, Pushed, Receipt, ReceiptReader, Unsigned
from menshen.testing.outward import FakeOutward
from tests.adapters.delivery.vendors.test_aliyun import sender_of, values_in
from tests.vendors.vectors import recorded

PUSHES = recorded("receipts")
RECORDED = {aliyun: PUSHES["aliyun_mainland"], aliyun_intl: PUSHES["aliyun_international"]}
TYPES = pytest.mark.parametrize("module", RECORDED, ids=["mainland", "intl"])
BIZ = "900619746936498440^0"


def read(module: ModuleType, body: bytes) -> Pushed | None:
    sender = sender_of(module, FakeOutward())
    assert isinstance(sender, ReceiptReader)
    pushed = sender.read_push(Push("https://a.example/receipts/one/x", {"content-type": "application/json"}, body))
    assert not isinstance(pushed, Unsigned), "it signs nothing"
    return pushed


def changed(module: ModuleType, **values: Any) -> bytes:
    """The recorded push with other values; None takes a key out."""
    item = {**json.loads(RECORDED[module]["body"])[0], **values}
    return json.dumps([{key: value for key, value in item.items() if value is not None}]).encode()


def test_the_recorded_pushes() -> None:
    mainland = read(aliyun, RECORDED[aliyun]["body"].encode())
    intl = read(aliyun_intl, RECORDED[aliyun_intl]["body"].encode())
    assert mainland == Pushed([Receipt(BIZ, True, "DELIVERED")], RECORDED[aliyun]["answer"].encode())
    assert intl == Pushed([Receipt("123450000", True, "success")], RECORDED[aliyun_intl]["answer"].encode())


def test_what_failed() -> None:
    assert read(aliyun, changed(aliyun, success=False, err_code="MK:0001")) == Pushed(
        [Receipt(BIZ, False, "MK:0001")], b'{"code":0,"msg":"OK"}'
    )
    for status, delivered in PUSHES["aliyun_international"]["status"].items():
        pushed = read(aliyun_intl, changed(aliyun_intl, Status=status, ErrorCode="E-1"))
        assert pushed is not None
        assert pushed.receipts == [Receipt("123450000", delivered == "delivered", "E-1")]


def test_what_is_under_way_is_left_out() -> None:
    pushed = read(aliyun_intl, changed(aliyun_intl, Status="5"))
    assert pushed is not None
    assert (pushed.receipts, pushed.answer) == ([], b'{"code":0,"msg":"OK"}')


@TYPES
def test_several_in_one_push(module: ModuleType) -> None:
    (item,) = json.loads(RECORDED[module]["body"])
    key = "biz_id" if module is aliyun else "MessageId"
    pushed = read(module, json.dumps([{**item, key: str(number)} for number in range(50)]).encode())
    assert pushed is not None
    assert [receipt.receipt for receipt in pushed.receipts] == [str(number) for number in range(50)]


@TYPES
@pytest.mark.parametrize(
    "body",
    [b"", b"\xff", b"{}", b"null", b"[1]", b"[{}]", b"[[]]", b'["x"]', b"[" * 60_000, b"<html>", b"[{}", b"[NaN]"],
)
def test_what_is_no_push_is_none(module: ModuleType, body: bytes) -> None:
    assert read(module, body) is None


@pytest.mark.parametrize(
    ("module", "values"),
    [
        (aliyun, {"biz_id": None}),
        (aliyun, {"biz_id": 5}),
        (aliyun, {"biz_id": ""}),
        (aliyun, {"biz_id": "x" * 65}),
        (aliyun, {"biz_id": "a b"}),
        (aliyun, {"success": None}),
        (aliyun, {"success": "true"}),
        (aliyun, {"success": 1}),
        (aliyun, {"err_code": 7}),
        (aliyun_intl, {"MessageId": None}),
        (aliyun_intl, {"MessageId": 5}),
        (aliyun_intl, {"MessageId": "x\n"}),
        (aliyun_intl, {"Status": None}),
        (aliyun_intl, {"Status": 1}),
        (aliyun_intl, {"Status": ["1"]}),
        (aliyun_intl, {"ErrorCode": []}),
    ],
)
def test_one_odd_receipt_makes_the_push_odd(module: ModuleType, values: dict[str, Any]) -> None:
    good, odd = json.loads(RECORDED[module]["body"]), json.loads(changed(module, **values))
    assert read(module, json.dumps(odd).encode()) is None
    assert read(module, json.dumps([*good, *odd]).encode()) is None
    assert read(module, json.dumps(good).encode()) is not None


@TYPES
def test_the_largest_push(module: ModuleType) -> None:
    text = RECORDED[module]["body"].encode()
    assert read(module, text + b" " * (64 * 1024 - len(text))) is not None
    assert read(module, text + b" " * (64 * 1024 + 1 - len(text))) is None


@TYPES
def test_unknown_fields_change_nothing(module: ModuleType) -> None:
    assert read(module, changed(module, new_field={"a": [1]})) == read(module, changed(module))


@pytest.mark.parametrize(
    ("code", "kept"),
    [
        ("DELIVERED", "DELIVERED"),
        ("MK:0001", "MK:0001"),
        ("mobile_number-1.2", "mobile_number-1.2"),
        ("x" * 64, "x" * 64),
        ("x" * 65, ""),
        # It could be a number of a person, or a text.
        ("13800138000", ""),
        ("to:1380013", ""),
        ("用户接收成功", ""),
        ("two words", ""),
        ("line\n", ""),
        ("", ""),
    ],
)
@TYPES
def test_a_result_has_the_form_of_a_code(module: ModuleType, code: str, kept: str) -> None:
    pushed = read(module, changed(module, **{"err_code" if module is aliyun else "ErrorCode": code}))
    assert pushed is not None
    assert [receipt.code for receipt in pushed.receipts] == [kept]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["1", "DELIVERED"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["biz_id", "success", "err_code", "MessageId", "Status"]), inner, max_size=5)
    ),
    max_leaves=10,
)


@given(
    st.sampled_from([*RECORDED]), st.binary(max_size=80) | json_values.map(lambda value: json.dumps([value]).encode())
)
def test_nothing_is_raised_for_any_bytes(module: ModuleType, body: bytes) -> None:
    pushed = read(module, body)
    assert pushed is None or all(len(receipt.code) <= 64 and receipt.receipt for receipt in pushed.receipts)


# --- asked for --------------------------------------------------------------------------------------------------------


async def ask(outcome: Outcome, sent_at: int = 1767225600_000) -> tuple[Receipt | None, str]:
    outward = FakeOutward(outcome)
    receipt = await sender_of(aliyun, outward).ask_receipt(
        BIZ, to="+8613800138000", sent_at=Instant(sent_at), nonce="0" * 32, now=Instant(1767312000_000)
    )
    (request,) = outward.requests
    return receipt, request.url


def details(*given: Any) -> Answer:
    told = {"Code": "OK", "TotalCount": len(given), "SmsSendDetailDTOs": {"SmsSendDetailDTO": [*given]}}
    return Answer(200, {}, json.dumps(told).encode())


@pytest.mark.parametrize(
    ("answer", "receipt"),
    [
        (details({"SendStatus": 3, "ErrCode": "DELIVERED"}), Receipt(BIZ, True, "DELIVERED")),
        (details({"SendStatus": 2, "ErrCode": "MK:0001"}), Receipt(BIZ, False, "MK:0001")),
        (details({"SendStatus": 2, "ErrCode": "13800138000"}), Receipt(BIZ, False, "")),
        (details({"SendStatus": 2}), Receipt(BIZ, False, "")),
        # Under way, unknown, not listed, and not certain which one.
        (details({"SendStatus": 1, "ErrCode": ""}), None),
        (details({"SendStatus": 4}), None),
        (details({"SendStatus": "3"}), None),
        (details({"SendStatus": True}), None),
        (details({}), None),
        (details(), None),
        (details({"SendStatus": 3}, {"SendStatus": 2}), None),
    ],
)
async def test_an_asked_receipt(answer: Answer, receipt: Receipt | None) -> None:
    assert (await ask(answer))[0] == receipt


@pytest.mark.parametrize(
    "outcome",
    [
        Unknown("ReadTimeout"),
        Answer(500),
        Answer(200, {}, b'{"Code": "OK"}'),
        Answer(200, {}, b'{"Code": "OK", "SmsSendDetailDTOs": []}'),
        Answer(200, {}, b'{"Code": "OK", "SmsSendDetailDTOs": {"SmsSendDetailDTO": {}}}'),
        details(5),
    ],
)
async def test_an_answer_that_cannot_be_read(outcome: Outcome) -> None:
    with pytest.raises(DeliveryUnknown):
        await ask(outcome)


async def test_a_question_that_is_refused() -> None:
    for outcome, verdict in (
        (NotReached("ConnectError"), Verdict.NOT_REACHED),
        (Answer(403, {}, b'{"Code": "NoPermission"}'), Verdict.CONFIG),
        (Answer(400, {}, b'{"Code": "Throttling.User"}'), Verdict.THROTTLED_VENDOR),
    ):
        with pytest.raises(DeliveryFailed) as refused:
            await ask(outcome)
        assert refused.value.verdict is verdict


async def test_the_day_is_that_of_china() -> None:
    # 2026-01-01 15:59:59 and 16:00:00 UTC: midnight in China lies between them.
    for sent_at, day in ((1767283199_999, "20260101"), (1767283200_000, "20260102")):
        assert values_in((await ask(details(), sent_at))[1])["SendDate"] == day
