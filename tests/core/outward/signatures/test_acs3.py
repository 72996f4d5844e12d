"""ACS3-HMAC-SHA256 against what Aliyun's own packages sent."""

import hashlib
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.core.outward.signatures.acs3 import (
    Acs3Key,
    authorization,
    canonical_request,
    query_text,
    signed_headers,
    string_to_sign,
)
from menshen.core.secret import Secret
from menshen.core.time import Instant
from tests.vendors.vectors import recorded

SMS = recorded("aliyun_sms")
CAPTCHA = recorded("captcha_aliyun")
LEAST = SMS["least_headers"][0]
VECTORS = [*SMS["vectors"], *CAPTCHA["vectors"]]

# What each parameter of a call is called in `input`.
INPUTS = {
    "PhoneNumbers": "phone_numbers",
    "PhoneNumber": "phone_number",
    "SignName": "sign_name",
    "TemplateCode": "template_code",
    "TemplateParam": "template_param",
    "OutId": "out_id",
    "BizId": "biz_id",
    "SendDate": "send_date",
    "To": "to",
    "From": "sender",
    "Message": "message",
    "Type": "type",
    "CaptchaVerifyParam": "captcha_verify_param",
    "SceneId": "scene_id",
}
QUERIED = {"PhoneNumber": "13800138000", "CurrentPage": "1", "PageSize": "10"}


def key_of(given: dict[str, Any]) -> Acs3Key:
    return Acs3Key(given["access_key_id"], Secret(given["access_key_secret"]))


def values_of(given: dict[str, Any]) -> dict[str, str]:
    values = {name: given[key] for name, key in INPUTS.items() if key in given}
    return {**values, **QUERIED} if "biz_id" in given else values


def named(vector: dict[str, Any]) -> str:
    return vector["name"]


def test_all_vectors_are_here() -> None:
    assert len(SMS["vectors"]) == 7
    assert len(SMS["least_headers"]) == len(CAPTCHA["vectors"]) == 1


@pytest.mark.parametrize("vector", VECTORS, ids=named)
def test_the_packages_request_is_signed_alike(vector: dict[str, Any]) -> None:
    given, wanted = vector["input"], vector["request"]
    text = query_text(values_of(given))
    # The package writes a blank as "+", and signs "%20".
    sent = text.replace("%20", "+")
    query, body = ("", text) if wanted["body"] else (text, "")
    assert (wanted["target"], wanted["body"]) == (f"/?{sent}" if query else "/", body)
    headers = {name: value for name, value in wanted["headers"] if name != "Authorization"}
    request = canonical_request(wanted["method"], "/", query, headers, body.encode())
    assert request == vector["signed"]["canonical_request"]
    assert string_to_sign(request) == vector["signed"]["string_to_sign"]
    assert authorization(key_of(given), request, headers) == dict(wanted["headers"])["Authorization"]
    # What is written here in full is in the package's set, under the same name and with the same value.
    ours = signed_headers(
        key_of(given),
        f"https://{given['endpoint']}/" + (f"?{query}" if query else ""),
        action=headers["x-acs-action"],
        version=headers["x-acs-version"],
        nonce=given["nonce"],
        now=Instant(given["clock"] * 1000),
        body=body.encode(),
        content_type=headers.get("content-type", ""),
    )
    signature = ours.pop("Authorization")
    assert ours.items() < headers.items()
    assert f"SignedHeaders={';'.join(sorted([*ours, 'host']))}," in signature


def test_the_least_headers() -> None:
    given = LEAST["input"]
    headers = signed_headers(
        key_of(given),
        f"https://{given['headers']['host']}{given['path']}?{query_text(given['query'])}",
        action=given["headers"]["x-acs-action"],
        version=given["headers"]["x-acs-version"],
        nonce=given["headers"]["x-acs-signature-nonce"],
        # The rest of the second is no part of the date.
        now=Instant(1767225600_999),
        body=given["body"].encode(),
    )
    sent = {name: value for name, value in given["headers"].items() if name != "host"}
    assert headers == {**sent, "Authorization": LEAST["authorization"]}


def signed_with(**changed: Any) -> str:
    call = {
        "url": "https://a.example/?A=1",
        "action": "Send",
        "version": "1",
        "nonce": "n",
        "now": Instant(0),
        "body": b"",
        "content_type": "",
        **changed,
    }
    return signed_headers(Acs3Key("id", Secret("s")), call.pop("url"), **call)["Authorization"]


@pytest.mark.parametrize(
    "changed",
    [
        {"url": "https://b.example/?A=1"},
        {"url": "https://a.example:8443/?A=1"},
        {"url": "https://a.example/?A=2"},
        {"url": "https://a.example/p?A=1"},
        {"action": "Ask"},
        {"version": "2"},
        {"nonce": "m"},
        {"now": Instant(1000)},
        {"body": b"x"},
        {"content_type": "text/plain"},
    ],
)
def test_all_that_is_sent_is_signed(changed: dict[str, Any]) -> None:
    assert signed_with(**changed) != signed_with()


def test_a_password_in_the_address_is_not_in_the_host() -> None:
    assert signed_with(url="https://u:p@a.example/?A=1") == signed_with()


def test_the_key_is_not_shown() -> None:
    shown = repr(Acs3Key("LTAI-id", Secret("the-secret")))
    assert "LTAI-id" not in shown
    assert "the-secret" not in shown


@given(st.dictionaries(st.text(), st.text(), max_size=6))
def test_a_query_is_read_back_as_it_was(values: dict[str, str]) -> None:
    text = query_text(values)
    assert text.isascii()
    assert "+" not in text
    assert urlsplit(f"https://a.example/?{text}").query == text
    assert dict(parse_qsl(text, keep_blank_values=True)) == values


def test_a_lone_surrogate_is_replaced() -> None:
    assert query_text({"A": "x\ud800y"}) == "A=x%3Fy"


@given(st.binary(max_size=200), st.text(st.characters(codec="ascii", exclude_characters="\r\n"), max_size=40))
def test_any_body_and_nonce_are_signed(body: bytes, nonce: str) -> None:
    headers = signed_headers(
        Acs3Key("id", Secret("s")), "https://a.example", action="A", version="1", nonce=nonce, now=Instant(0), body=body
    )
    assert headers["x-acs-content-sha256"] == hashlib.sha256(body).hexdigest()
    assert len(headers["Authorization"].rpartition("Signature=")[2]) == 64
