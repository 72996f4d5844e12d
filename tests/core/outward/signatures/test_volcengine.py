"""HMAC-SHA256 of Volcengine against what its own package sent, made again from what it was given."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from menshen.core.outward.signatures.volcengine import (
    VolcengineCall,
    VolcengineKey,
    canonical_request,
    headers_of,
    string_to_sign,
    target_of,
)
from menshen.core.secret import Secret
from menshen.core.time import Instant
from tests.vendors.vectors import vectors_of

VECTORS = vectors_of("volcengine_sms")


def call_of(given: dict[str, Any]) -> VolcengineCall:
    body = {
        "SmsAccount": given["sms_account"],
        "Sign": given["sign"],
        "TemplateID": given["template_id"],
        "TemplateParam": given["template_param"],
        "PhoneNumbers": given["phone_numbers"],
        "Tag": given["tag"],
    }
    now = Instant(given["clock"] * 1000)
    query = {"Version": "2020-01-01", "Action": "SendSms"}
    return VolcengineCall(given["host"], query, given["region"], given["service"], now, json.dumps(body).encode())


def key_of(given: dict[str, Any]) -> VolcengineKey:
    return VolcengineKey(given["access_key_id"], Secret(given["secret_access_key"]))


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_a_recorded_call_is_made_again(vector: dict[str, Any]) -> None:
    call = call_of(vector["input"])
    assert call.body.decode() == vector["request"]["body"]
    assert target_of(call) == vector["request"]["target"]
    assert canonical_request(call) == vector["signed"]["canonical_request"]
    assert string_to_sign(call) == vector["signed"]["string_to_sign"]
    headers = headers_of(call, key_of(vector["input"]))
    assert [[*header] for header in headers.items()] == vector["request"]["headers"]
    assert headers["Authorization"].endswith(f"Signature={vector['signed']['signature']}")


GIVEN = VECTORS[0]["input"]
CALL, KEY = call_of(GIVEN), key_of(GIVEN)


def signature(call: VolcengineCall, key: VolcengineKey = KEY) -> str:
    return headers_of(call, key)["Authorization"].rpartition("=")[2]


@pytest.mark.parametrize(
    "changed",
    [
        replace(CALL, body=CALL.body + b" "),
        replace(CALL, host="sms.elsewhere.example"),
        replace(CALL, query={**CALL.query, "Version": "2021-01-11"}),
        replace(CALL, region="ap-singapore-1"),
        replace(CALL, service="captcha"),
        replace(CALL, now=Instant(CALL.now + 1000)),
        replace(CALL, now=Instant(CALL.now - 1)),
    ],
)
def test_what_is_signed_changes_the_signature(changed: VolcengineCall) -> None:
    assert signature(changed) != signature(CALL)


def test_the_secret_changes_the_signature() -> None:
    assert signature(CALL, replace(KEY, secret_access_key=Secret("another"))) != signature(CALL)


def test_the_day_of_the_scope_is_of_utc() -> None:
    headers = headers_of(replace(CALL, now=Instant(CALL.now - 1)), KEY)
    assert headers["X-Date"] == "20251231T235959Z"
    assert "/20251231/cn-north-1/volcSMS/request," in headers["Authorization"]


def test_a_query_is_sorted_and_encoded() -> None:
    call = replace(CALL, query={"b": "x y/+~", "a": "门"})
    assert target_of(call) == "/?a=%E9%97%A8&b=x%20y%2F%2B~"
    assert canonical_request(call).split("\n")[2] == "a=%E9%97%A8&b=x%20y%2F%2B~"


def test_neither_key_nor_body_is_shown() -> None:
    shown = f"{KEY!r} {CALL!r}"
    secret = (GIVEN["access_key_id"], GIVEN["secret_access_key"], GIVEN["phone_numbers"])
    assert not [value for value in secret if value in shown]
