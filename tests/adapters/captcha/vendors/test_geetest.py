"""GeeTest: what the page gives, how old it may be, and which two words make a pass."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from menshen.ports.captcha import Failed, Passed
from menshen.ports.outward import Unknown
from tests.adapters.captcha.vendors.asking import NOW, answer, case_of, findings, passed

CASE = case_of("geetest")
ODD: tuple[Any, ...] = (..., None, "", 1, True, [], "a\nb", "é", "\ud800", "a\0")
PAGE = json.loads(CASE.recorded["asked"]["payload"])


def payload(**changes: Any) -> str:
    """Give what the page gives, some of it changed; `...` leaves a field out."""
    return json.dumps({key: value for key, value in {**PAGE, **changes}.items() if value is not ...})


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "null", "[]", "{}", '"{}"', "{", payload()[:-1], payload() + "x",
        *(payload(**{name: value}) for name in ("lot_number", "captcha_output", "pass_token", "gen_time")
          for value in ODD),
        *(payload(gen_time=value) for value in ("-1", "1767225600.0", "1e9", " 1767225600", "+1767225600", "1_0", "٣",
                                                "0x10", "9" * 13, 1767225600)),
        *(payload(captcha_id=value) for value in ("", "00000000000000000000000000000002", None, 1)),
        payload().replace('"lot_number"', '"lot_number": "x", "lot_number"'),
        payload(pass_token="x" * 8192),
    ],
)  # fmt: skip
async def test_a_payload_that_no_page_makes_is_asked_about_nowhere(text: str) -> None:
    verdict, outward = await CASE.verify(CASE.passed, payload=text)
    assert verdict == Failed("shape")
    assert not outward.requests


@pytest.mark.parametrize("text", [payload(captcha_id=...), payload(more={"a": [1]}), json.dumps(PAGE, sort_keys=True)])
async def test_more_fields_and_another_order_change_no_question(text: str) -> None:
    verdict, outward = await CASE.verify(CASE.passed, payload=text)
    assert verdict == Passed()
    assert outward.requests[0].body.decode() == CASE.recorded["request"]["body"]


async def test_a_test_is_fresh_until_its_last_millisecond() -> None:
    for now, fits in [
        (NOW, True),
        (NOW + 300_000, True),
        (NOW + 300_001, False),
        (NOW - 300_000, True),
        (NOW - 300_001, False),
    ]:
        verdict, outward = await CASE.verify(CASE.passed, now=now)
        assert verdict == (Passed() if fits else Failed("age")), now - NOW
        # What is too old costs no question.
        assert len(outward.requests) == int(fits)


async def test_a_field_arrives_as_it_is() -> None:
    _, outward = await CASE.verify(CASE.passed, payload=payload(captcha_output="a%2Bb +&sign_token=x"))
    form = parse_qs(outward.requests[0].body.decode(), strict_parsing=True)
    assert form["captcha_output"] == ["a%2Bb +&sign_token=x"]
    assert len(form["sign_token"]) == 1
    assert [*form] == ["lot_number", "captcha_output", "pass_token", "gen_time", "sign_token"]


@pytest.mark.parametrize(("lot", "key"), [("a", CASE.recorded["settings"]["captcha_key"]), (PAGE["lot_number"], "x")])
async def test_lot_and_key_change_the_signature(lot: str, key: str) -> None:
    case = case_of("geetest", captcha_key=key)
    _, outward = await case.verify(case.passed, payload=payload(lot_number=lot))
    body = outward.requests[0].body.decode()
    assert body.rpartition("=")[2] != CASE.recorded["request"]["body"].rpartition("=")[2]


@pytest.mark.parametrize("word", ["status", "result"])
@pytest.mark.parametrize("value", [True, 1, "Success", "ok", ["success"], {"success": 1}, None, ...])
async def test_both_words_are_needed(word: str, value: Any) -> None:
    assert (await CASE.verify(passed("geetest", **{word: value})))[0] == Unknown("unlisted")


async def test_the_address_that_the_vendor_saw_is_a_hint_only() -> None:
    for seen in ({"user_ip": "198.51.100.9"}, {}, None, ...):
        assert (await CASE.verify(passed("geetest", captcha_args=seen)))[0] == Passed()


async def test_a_listed_code_is_named_and_no_other_text() -> None:
    for code, reason in [("-50005", "-50005"), (-50005, "unlisted"), ("-1 secret", "unlisted"), (["x"], "unlisted")]:
        verdict, _ = await CASE.verify(answer({"status": "error", "code": code, "msg": "secret"}))
        assert verdict == Unknown(reason)


async def test_the_id_stands_in_the_query_and_nothing_else() -> None:
    case = case_of("geetest", captcha_id="a&b=c", endpoint="https://relay.internal.example/validate")
    _, outward = await case.verify(case.passed, payload=payload(captcha_id=...))
    assert parse_qs(urlsplit(outward.requests[0].url).query) == {"captcha_id": ["a&b=c"]}
    assert outward.requests[0].own_host


@pytest.mark.parametrize(
    ("key", "value"), [("captcha_id", ""), ("captcha_key", ""), ("endpoint", "http://relay.example/")]
)
def test_settings_that_cannot_work_are_refused(key: str, value: str) -> None:
    assert [finding.key for finding in findings("geetest", **{key: value})] == [key]
    assert not findings("geetest")
