"""Tencent's captcha: tickets, those that a page makes by itself, and which answer is a pass."""

from __future__ import annotations

import json
from typing import Any

import pytest

from menshen.ports.captcha import Failed, Passed
from menshen.ports.outward import Unknown
from tests.adapters.captcha.vendors.asking import NOW, answer, case_of, findings

CASE = case_of("tencent")


def payload(**changes: Any) -> str:
    """Give what the page's callback gets, some of it changed; `...` leaves a field out."""
    page = {**json.loads(CASE.recorded["asked"]["payload"]), **changes}
    return json.dumps({key: value for key, value in page.items() if value is not ...})


def response(**said: Any) -> Any:
    """Give an answer with these words; `...` leaves one out."""
    words = {"CaptchaCode": 1, "CaptchaMsg": "OK", "EvilLevel": 0, "RequestId": "r", **said}
    return answer({"Response": {key: value for key, value in words.items() if value is not ...}})


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "t03FAKETICKET", "null", "[]", "{}", payload()[:-1], payload(ticket="x" * 8192),
        *(payload(**{name: value}) for name in ("ticket", "randstr")
          for value in (..., None, "", 1, True, ["x"], "a\nb", "é", "\ud800", "a\0")),
        payload().replace('"ticket"', '"ticket": "trerror_1", "ticket"'),
    ],
)  # fmt: skip
async def test_a_payload_that_no_page_makes_is_asked_about_nowhere(text: str) -> None:
    verdict, outward = await CASE.verify(CASE.passed, payload=text)
    assert verdict == Failed("shape")
    assert not outward.requests


@pytest.mark.parametrize(
    "ticket", ["trerror_1001_190000001_1767225600", "trerror_", "terror_1001_190000001_1767225600"]
)
async def test_a_ticket_that_the_page_made_is_refused_unasked(ticket: str) -> None:
    verdict, outward = await CASE.verify(CASE.passed, payload=payload(ticket=ticket))
    assert verdict == Failed("made by the page")
    assert not outward.requests


async def test_a_ticket_is_not_decoded_twice() -> None:
    _, outward = await CASE.verify(CASE.passed, payload=payload(ticket='a%2B\\u0041"', randstr="@%40"))
    asked = json.loads(outward.requests[0].body)
    assert (asked["Ticket"], asked["Randstr"]) == ('a%2B\\u0041"', "@%40")


@pytest.mark.parametrize("address", ["203.0.113.7", "2001:db8::7"])
async def test_the_address_is_part_of_the_question(address: str) -> None:
    _, outward = await CASE.verify(CASE.passed, client_ip=address)
    assert json.loads(outward.requests[0].body)["UserIp"] == address
    _, outward = await CASE.verify(CASE.passed, client_ip="")
    assert "UserIp" not in json.loads(outward.requests[0].body)


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ({}, Passed()),
        ({"EvilLevel": 20}, Passed()),
        # Outside the invisible mode.
        ({"EvilLevel": None}, Passed()),
        ({"EvilLevel": 100}, Failed("evil")),
        ({"EvilLevel": 100.0}, Unknown("unlisted")),
        ({"EvilLevel": "0"}, Unknown("unlisted")),
        ({"EvilLevel": "100"}, Unknown("unlisted")),
        ({"EvilLevel": False}, Unknown("unlisted")),
        ({"EvilLevel": [0]}, Unknown("unlisted")),
        ({"EvilLevel": ...}, Unknown("unlisted")),
        ({"CaptchaCode": True}, Unknown("unlisted")),
        ({"CaptchaCode": "1"}, Unknown("unlisted")),
        ({"CaptchaCode": 1.0}, Unknown("unlisted")),
        ({"CaptchaCode": [1]}, Unknown("unlisted")),
        ({"CaptchaCode": None}, Unknown("unlisted")),
        ({"CaptchaCode": ...}, Unknown("unlisted")),
        ({"CaptchaCode": 0}, Unknown("unlisted")),
        ({"CaptchaCode": 7}, Failed("7")),
        ({"CaptchaCode": 100}, Unknown("100")),
        ({"CaptchaCode": 101}, Unknown("unlisted")),
        ({"Error": None}, Unknown("unlisted")),
        ({"Error": {}}, Unknown("unlisted")),
        ({"Error": "InternalError"}, Unknown("unlisted")),
        ({"Error": {"Code": "InternalError"}}, Unknown("InternalError")),
        ({"Error": {"Code": ["InternalError"]}}, Unknown("unlisted")),
        ({"Error": {"Code": "a secret"}}, Unknown("unlisted")),
    ],
)
async def test_a_pass_is_a_one_without_evil_and_without_error(said: dict[str, Any], verdict: Any) -> None:
    assert (await CASE.verify(response(**said)))[0] == verdict


@pytest.mark.parametrize(
    ("endpoint", "url", "own"),
    [
        ("https://captcha.tencentcloudapi.com", "https://captcha.tencentcloudapi.com/", False),
        ("https://relay.internal.example:8443", "https://relay.internal.example:8443/", True),
    ],
)
async def test_the_host_of_the_endpoint_is_signed(endpoint: str, url: str, own: bool) -> None:
    case = case_of("tencent", endpoint=endpoint)
    _, outward = await case.verify(case.passed)
    (request,) = outward.requests
    assert (request.url, request.own_host) == (url, own)
    assert request.headers["Host"] == endpoint.removeprefix("https://")
    signature = request.headers["Authorization"]
    assert (signature == CASE.recorded["request"]["headers"]["Authorization"]) is not own


async def test_the_clock_that_is_given_is_signed() -> None:
    _, outward = await CASE.verify(CASE.passed, now=NOW + 86_400_000)
    assert outward.requests[0].headers["X-TC-Timestamp"] == "1767312000"
    assert "/2026-01-02/captcha/tc3_request" in outward.requests[0].headers["Authorization"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("secret_id", ""),
        ("secret_key", ""),
        ("app_secret_key", ""),
        ("endpoint", "http://relay.example"),
        ("endpoint", "https://relay.example/path"),
        ("endpoint", "https://relay.example/?q"),
        ("endpoint", "https://relay.example#f"),
        ("endpoint", "https://me@relay.example/"),
        ("endpoint", "https://relay.example//"),
    ],
)
def test_settings_that_cannot_work_are_refused(key: str, value: str) -> None:
    assert [finding.key for finding in findings("tencent", **{key: value})] == [key]
    assert not findings("tencent")
    assert not findings("tencent", endpoint="https://relay.example")
