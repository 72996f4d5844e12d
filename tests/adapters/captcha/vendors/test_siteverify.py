"""Turnstile, hCaptcha and reCAPTCHA: tokens, the bounds of time, host, action and score, and the one second try."""

from __future__ import annotations

import itertools
import uuid
from typing import Any
from urllib.parse import parse_qsl

import pytest

from menshen.adapters.captcha.questions import instant_of
from menshen.core.findings import Severity
from menshen.ports.captcha import Failed, Passed
from menshen.ports.outward import Answer, NotReached, Unknown
from menshen.testing.recorded import sent
from tests.adapters.captcha.vendors.asking import NOW, answer, case_of, findings, passed

SITEVERIFY = ("turnstile", "hcaptcha", "recaptcha")
OLDEST = {"turnstile": 300_000, "hcaptcha": 300_000, "recaptcha": 120_000}
LONGEST = {"turnstile": 2048, "hcaptcha": 8192, "recaptcha": 8192}
LOST = (NotReached("connect"), Unknown("timeout"))


@pytest.mark.parametrize("vendor", SITEVERIFY)
async def test_a_token_is_fresh_until_its_last_millisecond(vendor: str) -> None:
    case, oldest = case_of(vendor), OLDEST[vendor]
    for now, fits in [
        (NOW, True),
        (NOW + oldest, True),
        (NOW + oldest + 1, False),
        (NOW - oldest, True),
        (NOW - oldest - 1, False),
    ]:
        verdict, _ = await case.verify(case.passed, now=now)
        assert verdict == (Passed() if fits else Failed("age")), now - NOW


@pytest.mark.parametrize(
    ("stamp", "instant"),
    [
        ("2026-01-01T00:00:00Z", NOW),
        ("2026-01-01T00:00:00.000Z", NOW),
        ("2026-01-01T00:00:00.1Z", NOW + 100),
        ("2026-01-01T00:00:00.123456Z", NOW + 123),
        ("2026-01-01T00:00:00+00:00", NOW),
        ("2026-01-01T00:00:00", None),
        ("2026-01-01T08:00:00+08:00", None),
        ("2026-01-01 00:00:00Z", None),
        ("2026-02-30T00:00:00Z", None),
        ("0000-01-01T00:00:00Z", None),
        ("2026-01-01T24:00:00Z", None),
        ("２026-01-01T00:00:00Z", None),
        ("2026-01-01T00:00:00Z\n", None),
        (" 2026-01-01T00:00:00Z", None),
        ("2026-01-01T00:00:00.Z", None),
        ("", None),
        (NOW, None),
        (None, None),
        (["2026-01-01T00:00:00Z"], None),
    ],
)
def test_a_time_is_read_in_one_spelling(stamp: Any, instant: int | None) -> None:
    assert instant_of(stamp) == instant


@pytest.mark.parametrize("vendor", SITEVERIFY)
@pytest.mark.parametrize(
    "hostname",
    ["", "LOGIN.EXAMPLE.COM", "login.example.com.", "evil.login.example.com", "example.com", " login.example.com",
     ["login.example.com"], {"login.example.com": 1}, None, True, ...],
)  # fmt: skip
async def test_a_page_of_another_host_is_none_of_ours(vendor: str, hostname: Any) -> None:
    assert (await case_of(vendor).verify(passed(vendor, hostname=hostname)))[0] == Failed("hostname")


@pytest.mark.parametrize("vendor", SITEVERIFY)
async def test_each_of_the_hosts_may_have_shown_the_test(vendor: str) -> None:
    assert (await case_of(vendor).verify(passed(vendor, hostname="www.example.com")))[0] == Passed()


@pytest.mark.parametrize("vendor", ["turnstile", "recaptcha"])
@pytest.mark.parametrize("action", ["login", "SEND_CODE", "send_code ", "", ["send_code"], None, ...])
async def test_a_test_for_another_action_is_no_good(vendor: str, action: Any) -> None:
    assert (await case_of(vendor).verify(passed(vendor, action=action)))[0] == Failed("action")


async def test_hcaptcha_knows_no_action() -> None:
    case = case_of("hcaptcha")
    assert (await case.verify(case.passed, action="send_code"))[0] == Passed()


@pytest.mark.parametrize("vendor", SITEVERIFY)
@pytest.mark.parametrize("success", ["true", 1, "True", [True], {"success": True}, None, False, ...])
async def test_only_a_true_is_a_success(vendor: str, success: Any) -> None:
    assert (await case_of(vendor).verify(passed(vendor, success=success)))[0] == Unknown("unlisted")


@pytest.mark.parametrize(
    ("least", "score", "verdict"),
    [
        (0.5, 0.5, Passed()),
        (0.5, 0.49, Failed("score")),
        (0.5, 1, Passed()),
        (0.5, 0, Failed("score")),
        (0.0, 0, Passed()),
        (0.7, 0.69, Failed("score")),
        (0.5, "0.9", Failed("score")),
        (0.5, True, Failed("score")),
        (0.5, 1.1, Failed("score")),
        (0.0, -0.1, Failed("score")),
        (0.0, None, Failed("score")),
        (0.0, [0.9], Failed("score")),
        (0.0, ..., Failed("score")),
    ],
)
async def test_a_score_of_v3_is_a_number_that_is_high_enough(
    least: float, score: Any, verdict: Passed | Failed
) -> None:
    case = case_of("recaptcha", min_score=least)
    assert (await case.verify(passed("recaptcha", score=score)))[0] == verdict
    # An answer that has an action is of v3, asked or not.
    assert (await case.verify(passed("recaptcha", score=score), action=""))[0] == verdict


@pytest.mark.parametrize("action", ["", "send_code"])
async def test_v2_passes_where_no_action_is_asked(action: str) -> None:
    of_v2 = passed("recaptcha", score=..., action=...)
    assert (await case_of("recaptcha").verify(of_v2, action=action))[0] == (Failed("action") if action else Passed())


@pytest.mark.parametrize("vendor", SITEVERIFY)
@pytest.mark.parametrize(
    "errors",
    [None, "invalid-input-response", {"invalid-input-response": 1}, [["invalid-input-response"]], [None],
     ["invalid-input-response", 7], ["invalid-input-response", "INTERNAL"], []],
)  # fmt: skip
async def test_words_in_another_form_say_nothing_of_the_token(vendor: str, errors: Any) -> None:
    verdict, _ = await case_of(vendor).verify(answer({"success": False, "error-codes": errors}))
    assert verdict == Unknown("unlisted")


@pytest.mark.parametrize("vendor", SITEVERIFY)
async def test_a_token_has_a_length(vendor: str) -> None:
    case = case_of(vendor)
    assert (await case.verify(case.passed, payload="x" * LONGEST[vendor]))[0] == Passed()
    verdict, outward = await case.verify(case.passed, payload="x" * (LONGEST[vendor] + 1))
    assert verdict == Failed("shape")
    assert not outward.requests


@pytest.mark.parametrize("vendor", SITEVERIFY)
@pytest.mark.parametrize("address", ["203.0.113.7", "2001:db8::7", "::ffff:203.0.113.7"])
async def test_token_and_address_arrive_as_they_are(vendor: str, address: str) -> None:
    case = case_of(vendor)
    # What looks encoded is the token itself.
    token = "a%2Bb+c&secret=x==%41"
    _, outward = await case.verify(case.passed, payload=token, client_ip=address)
    form = parse_qsl(outward.requests[0].body.decode(), strict_parsing=True)
    assert len(dict(form)) == len(form)
    assert dict(form)["response"] == token
    assert dict(form)["remoteip"] == address
    assert dict(form)["secret"] == case.recorded["settings"]["secret"]


@pytest.mark.parametrize("vendor", SITEVERIFY)
async def test_a_withheld_address_leaves_no_field(vendor: str) -> None:
    case = case_of(vendor)
    _, outward = await case.verify(case.passed, client_ip="")
    assert "remoteip" not in dict(parse_qsl(outward.requests[0].body.decode(), keep_blank_values=True))


@pytest.mark.parametrize("first", LOST)
async def test_turnstile_is_asked_again_about_the_same_token(first: NotReached | Unknown) -> None:
    case = case_of("turnstile", timeout_seconds=3)
    for second, meant in [
        (case.passed, Passed()),
        (answer({"success": False, "error-codes": ["timeout-or-duplicate"]}), Failed("timeout-or-duplicate")),
        (Answer(502), Unknown("HTTP 502")),
    ]:
        verdict, outward = await case.verify(first, second)
        assert verdict == meant
        one, two = outward.requests
        assert sent(one) == sent(two)
        assert b"&idempotency_key=" in one.body
        assert one.seconds + two.seconds <= 3


@pytest.mark.parametrize(("first", "second"), [*itertools.product(LOST, LOST)])
async def test_turnstile_is_asked_twice_at_most(first: NotReached | Unknown, second: NotReached | Unknown) -> None:
    case = case_of("turnstile")
    verdict, outward = await case.verify(first, second, case.passed)
    assert len(outward.requests) == 2
    # One question that may have arrived is enough for not knowing.
    assert verdict == next((lost for lost in (first, second) if isinstance(lost, Unknown)), second)


@pytest.mark.parametrize("vendor", SITEVERIFY)
async def test_an_answer_is_final(vendor: str) -> None:
    case = case_of(vendor)
    for final in (Answer(500), Answer(200, {}, b"<html>"), Answer(302), answer({"success": False})):
        verdict, outward = await case.verify(final, case.passed)
        assert isinstance(verdict, Unknown)
        assert len(outward.requests) == 1


async def test_an_idempotency_key_is_a_uuid_of_its_token() -> None:
    case, keys = case_of("turnstile"), []
    for token in ("a", "b", "a"):
        _, outward = await case.verify(case.passed, payload=token)
        keys.append(dict(parse_qsl(outward.requests[0].body.decode()))["idempotency_key"])
    assert keys[0] == keys[2] != keys[1]
    assert [str(uuid.UUID(key)) for key in keys] == keys
    assert uuid.UUID(keys[0]).version == 4


@pytest.mark.parametrize("vendor", ["turnstile", "hcaptcha"])
async def test_an_endpoint_of_the_operators_own_may_lie_in_a_private_network(vendor: str) -> None:
    case = case_of(vendor, endpoint="https://relay.internal.example/verify")
    _, outward = await case.verify(case.passed)
    assert outward.requests[0].own_host
    assert outward.requests[0].url == "https://relay.internal.example/verify"


async def test_a_host_of_the_operators_own_may_lie_in_a_private_network() -> None:
    case = case_of("recaptcha", host="relay.internal.example:8443")
    _, outward = await case.verify(case.passed)
    assert outward.requests[0].own_host
    assert outward.requests[0].url == "https://relay.internal.example:8443/recaptcha/api/siteverify"


@pytest.mark.parametrize(
    ("vendor", "settings", "key"),
    [
        ("turnstile", {"secret": ""}, "secret"),
        ("turnstile", {"endpoint": "http://relay.example/"}, "endpoint"),
        ("hcaptcha", {"secret": ""}, "secret"),
        ("hcaptcha", {"site_key": ""}, "site_key"),
        ("hcaptcha", {"endpoint": "ftp://relay.example/"}, "endpoint"),
        ("recaptcha", {"secret": ""}, "secret"),
        ("recaptcha", {"host": ""}, "host"),
        ("recaptcha", {"host": "https://www.google.com"}, "host"),
        ("recaptcha", {"host": "www.google.com/recaptcha"}, "host"),
        ("recaptcha", {"host": "me@www.google.com"}, "host"),
        ("recaptcha", {"host": "www.google.com:99999"}, "host"),
    ],
)
def test_settings_that_cannot_work_are_refused(vendor: str, settings: dict[str, str], key: str) -> None:
    assert [finding.key for finding in findings(vendor, **settings) if finding.severity is Severity.ERROR] == [key]


@pytest.mark.parametrize(
    ("vendor", "secret"),
    [
        ("turnstile", "1x0000000000000000000000000000000AA"),
        ("turnstile", "2x0000000000000000000000000000000AA"),
        ("turnstile", "3x0000000000000000000000000000000AA"),
        ("hcaptcha", "0x0000000000000000000000000000000000000000"),
        ("recaptcha", "6LeIxAcTAAAAAGG-vFI1TnRWxMZNFuojJ4WifJWe"),
    ],
)
def test_a_secret_that_is_published_for_tests_is_noticed(vendor: str, secret: str) -> None:
    (finding,) = findings(vendor, secret=secret)
    assert (finding.severity, finding.key) == (Severity.WARNING, "secret")
    assert not findings(vendor, secret="a secret of our own")
