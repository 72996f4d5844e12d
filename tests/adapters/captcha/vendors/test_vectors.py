"""Captcha vendors against what was recorded of their packages and documents: each request's bytes, each answer."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from menshen.core.outward.signatures.acs3 import Acs3Key, authorization, canonical_request
from menshen.core.secret import Secret
from menshen.ports.captcha import Failed, Passed
from menshen.ports.outward import Answer, NotReached, Request, Unknown
from menshen.testing.recorded import sent
from tests.adapters.captcha.vendors.asking import NOW, VENDORS, case_of
from tests.vendors.vectors import recorded

DOCUMENTED = recorded("captcha_siteverify")
PACKAGED = {vendor: recorded(f"captcha_{vendor}") for vendor in ("aliyun", "geetest", "tencent")}
ANSWERS = {name: DOCUMENTED[name]["answers"] for name in ("turnstile", "hcaptcha", "recaptcha")} | {
    name: held["answers"] for name, held in PACKAGED.items()
}
MEANT = {"passed": Passed, "failed": Failed, "error": Unknown, "failed where an action is set": Failed}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_each_vendor_has_vectors_and_each_verdict_stands_among_them() -> None:
    assert set(ANSWERS) == set(VENDORS)
    assert {answer["verdict"] for answers in ANSWERS.values() for answer in answers} == set(MEANT)
    assert [len(ANSWERS[name]) for name in VENDORS] == [23, 5, 6, 5, 10, 9]


@pytest.mark.parametrize(
    ("vendor", "answer"),
    [pytest.param(name, answer, id=f"{name}-{answer['name']}") for name in VENDORS for answer in ANSWERS[name]],
)
async def test_an_answer_is_judged_as_recorded(vendor: str, answer: dict[str, Any]) -> None:
    # v2 of reCAPTCHA says no action, so none can be asked of it.
    changes = {"action": ""} if answer["name"].startswith("v2") else {}
    outcomes: list[Any] = [NotReached("connect"), Unknown("timeout")]
    if "body" in answer:
        outcomes = [Answer(answer.get("status", 200), {}, answer["body"].encode())]
    for outcome in outcomes:
        verdict, _ = await case_of(vendor).verify(outcome, **changes)
        if "body" in answer:
            assert isinstance(verdict, MEANT[answer["verdict"]])
        else:
            assert verdict == outcome


async def test_no_action_passes_where_none_is_asked() -> None:
    (body,) = (answer["body"] for answer in ANSWERS["turnstile"] if answer["name"] == "no action")
    assert (await case_of("turnstile").verify(Answer(200, {}, body.encode()), action=""))[0] == Passed()


async def request_of(vendor: str, settings: dict[str, Any], **asked: Any) -> Request:
    case = case_of(vendor, **settings)
    _, outward = await case.verify(case.passed, **asked)
    (request,) = outward.requests
    return request


@pytest.mark.parametrize("vendor", ["turnstile", "hcaptcha", "recaptcha"])
async def test_a_documented_form_is_made_again(vendor: str) -> None:
    form = dict(DOCUMENTED[vendor]["request"]["form"])
    settings = {"secret": form["secret"]} | ({"site_key": form["sitekey"]} if "sitekey" in form else {})
    request = await request_of(vendor, settings, payload=form["response"], client_ip=form["remoteip"])
    if "idempotency_key" in form:
        # The vector's is of chance, ours of the token.
        form["idempotency_key"] = request.body.decode().rpartition("=")[2]
    assert DOCUMENTED[vendor]["request"]["content_type"] == FORM["Content-Type"]
    assert sent(request) == ("POST", DOCUMENTED[vendor]["url"], FORM, urlencode(form).encode())


async def test_recaptcha_is_asked_at_its_other_host() -> None:
    request = await request_of("recaptcha", {"host": "www.recaptcha.net"})
    assert request.url == DOCUMENTED["recaptcha"]["url_where_google_is_not_reached"]
    assert not request.own_host


async def test_the_question_of_geetest_is_made_again() -> None:
    (vector,) = PACKAGED["geetest"]["vectors"]
    given, wanted = vector["input"], vector["request"]
    page = {name: given[name] for name in ("lot_number", "captcha_output", "pass_token", "gen_time")}
    settings = {"captcha_id": given["captcha_id"], "captcha_key": given["captcha_key"]}
    request = await request_of("geetest", settings, payload=json.dumps(page))
    headers = dict(wanted["headers"])
    url = f"https://{headers.pop('Host')}{wanted['target']}"
    assert sent(request) == (wanted["method"], url, headers, wanted["body"].encode())
    assert request.body.decode().endswith(f"&sign_token={vector['sign_token']}")


async def test_the_question_of_tencent_is_made_again() -> None:
    (vector,) = PACKAGED["tencent"]["vectors"]
    given, wanted = vector["input"], vector["request"]
    settings = {name: given[name] for name in ("secret_id", "secret_key", "captcha_app_id", "app_secret_key")}
    page = {"randstr": given["randstr"], "ticket": given["ticket"]}
    request = await request_of(
        "tencent", settings, payload=json.dumps(page), client_ip=given["user_ip"], now=given["clock"] * 1000
    )
    url = f"https://{given['host']}{wanted['target']}"
    assert sent(request) == (wanted["method"], url, dict(wanted["headers"]), wanted["body"].encode())


async def test_the_question_of_aliyun_is_made_again() -> None:
    (vector,) = PACKAGED["aliyun"]["vectors"]
    given, wanted = vector["input"], vector["request"]
    assert given["clock"] * 1000 == NOW
    settings = {name: given[name] for name in ("access_key_id", "access_key_secret", "scene_id")}
    request = await request_of("aliyun", settings, payload=given["captcha_verify_param"], now=NOW)
    assert (request.method, request.url) == (wanted["method"], f"https://{given['endpoint']}{wanted['target']}")
    assert request.body == wanted["body"].encode()
    # The package signs headers of its own too, and chance made its nonce: all else is the same.
    package = dict(wanted["headers"])
    ours = {name.lower(): value for name, value in request.headers.items()}
    for name in ("x-acs-action", "x-acs-version", "x-acs-date", "x-acs-content-sha256", "content-type"):
        assert ours[name] == package[name]
    key = Acs3Key(given["access_key_id"], Secret(given["access_key_secret"]))

    def signed(headers: dict[str, str]) -> str:
        return authorization(key, canonical_request("POST", "/", "", headers, request.body), headers)

    assert (
        signed({name: value for name, value in package.items() if name != "Authorization"}) == package["Authorization"]
    )
    least = {name: value for name, value in ours.items() if name != "authorization"}
    assert signed({"host": given["endpoint"], **least}) == ours["authorization"]
