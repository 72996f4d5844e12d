"""Receipts of Twilio: signed, unsigned, forged, and asked for."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.adapters.delivery.sms.twilio import TwilioSender
from menshen.core.delivery.verdicts import Verdict
from menshen.core.outward.signatures.twilio import signature
from menshen.ports.delivery import DeliveryFailed, DeliveryUnknown
from menshen.ports.outward import Answer, NotReached, Unknown
from menshen.ports.receipts import Push, Pushed, Receipt, ReceiptAsker, ReceiptReader, Unsigned
from tests.adapters.delivery.vendors.twilio_cases import (
    ACCOUNT,
    API_KEY,
    ASKED,
    DELIVERED,
    MESSAGE,
    NOW,
    RECEIPTS,
    RECEIVED,
    SID,
    TOKEN,
    URL,
    answer,
    headers_of,
    sender,
)

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


def test_what_is_signed_and_no_push_is_refused() -> None:
    for form in ({}, {"MessageStatus": "delivered"}, {"MessageSid": SID}, GOOD | {"MessageSid": "SM1"}):
        assert sender()[0].read_push(push(form)) is None, form


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


async def test_a_receipt_is_asked_for_as_by_the_vendors_package() -> None:
    asking, outward = sender(answer(200, sid=SID, status="delivered", error_code=None))
    assert await ask(asking) == DELIVERED
    (request,) = outward.requests
    wanted = ASKED["request"]
    assert (request.method, urlsplit(request.url).path) == (wanted["method"], wanted["target"])
    assert headers_of(request) == dict(wanted["headers"])
    assert request.body == wanted["body"].encode()
