"""Captcha vendors with payloads and answers of chance: nothing raises, and only the vendor's own words are a pass."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.ports.captcha import Failed, NamesTokens, Passed
from menshen.ports.outward import Answer, NotReached, Unknown
from menshen.testing.outward import FakeOutward
from menshen.testing.plugin_rules import settings_of
from tests.adapters.captcha.vendors.asking import VENDORS, case_of

CASES = {vendor: case_of(vendor) for vendor in VENDORS}
PASSES = {vendor: json.loads(case.passed.body) for vendor, case in CASES.items()}
VERDICTS = (Passed, Failed, NotReached, Unknown)
NEEDED: dict[str, list[tuple[str, ...]]] = {
    "turnstile": [("success",), ("hostname",), ("action",), ("challenge_ts",)],
    "hcaptcha": [("success",), ("hostname",), ("challenge_ts",)],
    "recaptcha": [("success",), ("hostname",), ("action",), ("challenge_ts",), ("score",)],
    "geetest": [("status",), ("result",)],
    "tencent": [("Response",), ("Response", "CaptchaCode")],
    "aliyun": [("Success",), ("Result",), ("Result", "VerifyResult"), ("Result", "VerifyCode")],
}
NEAR = (True, False, None, 0, 1, 1.0, "true", "1", "T001", "T005", "success", "Success", [True], {"Success": True})
# What else the vendor may say for a pass.
AS_GOOD: dict[tuple[str, ...], Any] = {
    ("recaptcha", "score"): lambda value: type(value) in {int, float} and 0.5 <= value <= 1,
    ("recaptcha", "hostname"): lambda value: value == "www.example.com",
    ("aliyun", "Result", "VerifyCode"): lambda value: value == "T006",
}

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(NEAR)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def built(vendor: str) -> Any:
    """Give the adapter of a vendor."""
    case = CASES[vendor]
    return case.module.build(settings_of(case.module.Settings, case.recorded["settings"]), FakeOutward())


def same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other


def changed(said: Any, path: tuple[str, ...], value: Any) -> Any:
    head, *rest = path
    return {**said, head: changed(said[head], tuple(rest), value) if rest else value}


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_vendor_has_the_words_that_its_pass_needs(vendor: str) -> None:
    assert {path[0] for path in NEEDED[vendor]} >= set(CASES[vendor].recorded["needed"])


@pytest.mark.parametrize("vendor", VENDORS)
@given(st.data())
async def test_a_changed_word_is_never_a_pass(vendor: str, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(NEEDED[vendor]))
    value = data.draw(values)
    was = PASSES[vendor]
    for key in path:
        was = was[key]
    body = json.dumps(changed(PASSES[vendor], path, value)).encode()
    verdict, _ = await CASES[vendor].verify(Answer(200, {}, body))
    as_good = same(value, was) or AS_GOOD.get((vendor, *path), lambda _: False)(value)
    assert isinstance(verdict, Passed) is as_good
    assert isinstance(verdict, VERDICTS)


@pytest.mark.parametrize("vendor", VENDORS)
@given(
    body=st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode()), status=st.integers(100, 599)
)
async def test_an_answer_of_chance_is_never_a_pass(vendor: str, body: bytes, status: int) -> None:
    case = CASES[vendor]
    verdict, _ = await case.verify(Answer(status, {}, body))
    assert isinstance(verdict, Unknown)
    if status != 200:
        assert isinstance((await case.verify(Answer(status, {}, case.passed.body)))[0], Unknown)


@pytest.mark.parametrize("vendor", VENDORS)
@given(cut=st.integers(0, 400), bit=st.integers(0, 7), at=st.integers(0, 400))
async def test_an_answer_that_was_cut_is_never_a_pass(vendor: str, cut: int, bit: int, at: int) -> None:
    case = CASES[vendor]
    body = case.passed.body
    verdict, _ = await case.verify(Answer(200, {}, body[: min(cut, len(body) - 1)]))
    assert isinstance(verdict, Unknown)
    flipped = bytearray(body)
    flipped[at % len(body)] ^= 1 << bit
    assert isinstance((await case.verify(Answer(200, {}, bytes(flipped))))[0], VERDICTS)


@pytest.mark.parametrize("vendor", VENDORS)
@given(payload=st.text(max_size=60) | values.map(json.dumps) | st.text(alphabet='{}[]":,x0\\u', max_size=60))
async def test_a_payload_of_chance_is_refused_or_asked_about_as_it_is(vendor: str, payload: str) -> None:
    case = CASES[vendor]
    verdict, outward = await case.verify(case.passed, payload=payload)
    if outward.requests:
        assert payload.isascii()
        assert 0 < len(payload) <= 8192
        assert verdict == Passed()
    else:
        assert isinstance(verdict, Failed)


@pytest.mark.parametrize("vendor", ["geetest", "tencent"])
@given(st.data())
async def test_fields_of_chance_raise_nothing(vendor: str, data: st.DataObject) -> None:
    case = CASES[vendor]
    page = json.loads(case.recorded["asked"]["payload"])
    page[data.draw(st.sampled_from(sorted(page)))] = data.draw(values)
    verdict, outward = await case.verify(case.passed, payload=json.dumps(page))
    assert isinstance(verdict, Passed) is bool(outward.requests)
    assert isinstance(verdict, Passed | Failed)


SPELT = {"geetest": "lot_number", "tencent": "ticket", "aliyun": "certifyId"}


@pytest.mark.parametrize("vendor", SPELT)
def test_all_spellings_of_a_token_have_one_name(vendor: str) -> None:
    payload = CASES[vendor].recorded["asked"]["payload"]
    page = json.loads(payload)
    assert isinstance(built(vendor), NamesTokens)
    named = built(vendor).token_of(payload)
    assert named == page[SPELT[vendor]]
    again = {**page, "more": [1, {"a": None}]}
    escaped = payload.replace(f'"{named}"', '"' + "".join(f"\\u{ord(char):04x}" for char in named) + '"')
    assert escaped != payload
    for spelling in (
        f" {payload} ",
        escaped,
        json.dumps(page, indent=1).replace("\n", ""),
        json.dumps(again),
        json.dumps(dict(reversed(page.items()))),
    ):
        assert built(vendor).token_of(spelling) == named
    other = json.dumps({**page, SPELT[vendor]: f"{named}x"})
    assert built(vendor).token_of(other) == f"{named}x"


@pytest.mark.parametrize("vendor", SPELT)
@given(payload=st.text(max_size=60) | values.map(json.dumps))
def test_a_text_without_a_token_is_its_own_name(vendor: str, payload: str) -> None:
    assert built(vendor).token_of(payload) == payload


@pytest.mark.parametrize("vendor", VENDORS)
@given(address=st.text(max_size=50).filter(lambda text: text.isprintable()), now=st.integers(0, 2**47))
async def test_any_address_and_time_raise_nothing(vendor: str, address: str, now: int) -> None:
    case = CASES[vendor]
    verdict, _ = await case.verify(case.passed, client_ip=address, now=now)
    assert isinstance(verdict, Passed | Failed)
