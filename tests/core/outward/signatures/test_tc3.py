"""TC3-HMAC-SHA256 against what Tencent's own packages sent, made again from what they were given."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from menshen.core.outward.signatures.tc3 import Tc3Call, Tc3Key, canonical_request, headers_of, string_to_sign
from menshen.core.secret import Secret
from menshen.core.time import Instant
from tests.vendors.vectors import vectors_of

VECTORS = [*vectors_of("tencent_sms"), *vectors_of("captcha_tencent")]


def asked(given: dict[str, Any]) -> tuple[str, str, str, dict[str, Any]]:
    """The service, action, version and body that a vector's input stands for."""
    if "ticket" in given:
        return (
            "captcha",
            "DescribeCaptchaResult",
            "2019-07-22",
            {
                "CaptchaType": 9,
                "Ticket": given["ticket"],
                "UserIp": given["user_ip"],
                "Randstr": given["randstr"],
                "CaptchaAppId": given["captcha_app_id"],
                "AppSecretKey": given["app_secret_key"],
            },
        )
    if "begin" in given:
        body = {
            "BeginTime": given["begin"],
            "Offset": 0,
            "Limit": 10,
            "PhoneNumber": given["phone"],
            "SmsSdkAppId": given["sdk_app_id"],
            "EndTime": given["end"],
        }
        return "sms", "PullSmsSendStatusByPhoneNumber", "2021-01-11", body
    optional = {
        "SignName": given["sign_name"],
        "TemplateParamSet": given["template_params"],
        "SessionContext": given.get("session_context"),
        "SenderId": given.get("sender_id"),
    }
    body = {
        "PhoneNumberSet": [given["phone"]],
        "SmsSdkAppId": given["sdk_app_id"],
        "TemplateId": given["template_id"],
        **{name: value for name, value in optional.items() if value},
    }
    return "sms", "SendSms", "2021-01-11", body


def call_of(given: dict[str, Any]) -> Tc3Call:
    service, action, version, body = asked(given)
    raw = json.dumps(body).encode()
    now = Instant(given["clock"] * 1000)
    return Tc3Call(given["host"], service, action, version, now, raw, given.get("region", ""))


def key_of(given: dict[str, Any]) -> Tc3Key:
    return Tc3Key(given["secret_id"], Secret(given["secret_key"]))


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_a_recorded_call_is_made_again(vector: dict[str, Any]) -> None:
    call = call_of(vector["input"])
    assert call.body.decode() == vector["request"]["body"]
    assert canonical_request(call) == vector["signed"]["canonical_request"]
    assert string_to_sign(call) == vector["signed"]["string_to_sign"]
    headers = headers_of(call, key_of(vector["input"]))
    assert [[*header] for header in headers.items()] == vector["request"]["headers"]
    assert headers["Authorization"].endswith(f"Signature={vector['signed']['signature']}")


def test_the_vectors_are_those_that_are_meant() -> None:
    assert len(VECTORS) == 6
    assert {asked(vector["input"])[:2] for vector in VECTORS} == {
        ("sms", "SendSms"),
        ("sms", "PullSmsSendStatusByPhoneNumber"),
        ("captcha", "DescribeCaptchaResult"),
    }


GIVEN = VECTORS[0]["input"]
CALL, KEY = call_of(GIVEN), key_of(GIVEN)


def signature(call: Tc3Call, key: Tc3Key = KEY) -> str:
    return headers_of(call, key)["Authorization"].rpartition("=")[2]


@pytest.mark.parametrize(
    "changed",
    [
        replace(CALL, body=CALL.body + b" "),
        replace(CALL, host="sms.elsewhere.example"),
        replace(CALL, service="captcha"),
        replace(CALL, now=Instant(CALL.now + 1000)),
        replace(CALL, now=Instant(CALL.now - 1)),
    ],
)
def test_what_is_signed_changes_the_signature(changed: Tc3Call) -> None:
    assert signature(changed) != signature(CALL)


def test_the_secret_changes_the_signature() -> None:
    assert signature(CALL, replace(KEY, secret_key=Secret("another"))) != signature(CALL)


def test_milliseconds_are_dropped() -> None:
    assert headers_of(replace(CALL, now=Instant(CALL.now + 999)), KEY) == headers_of(CALL, KEY)


def test_a_call_without_a_region_has_no_such_header() -> None:
    assert "X-TC-Region" not in headers_of(replace(CALL, region=""), KEY)


def test_neither_key_nor_body_is_shown() -> None:
    shown = f"{KEY!r} {CALL!r}"
    assert not [value for value in (GIVEN["secret_id"], GIVEN["secret_key"], GIVEN["phone"]) if value in shown]
