"""SDK-HMAC-SHA256 over what the vendor's own package signed, and over what must change a signature."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.core.outward.signatures.sdk_hmac import authorization, canonical_request, date_of, string_to_sign
from menshen.core.time import Instant
from tests.vendors.vectors import recorded

RECORDED = recorded("huawei_sms")
VECTORS = RECORDED["vectors"]

URL = "https://smsapi.example/sms/v1"
HEADERS = {"Host": "smsapi.example", "X-Sdk-Date": "20260101T000000Z"}


def sign(method="POST", url=URL, headers=None, body=b"to=1", *, key="k", secret="s"):
    return authorization(key, secret, method, url, HEADERS if headers is None else headers, body)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_it_signs_as_the_vendors_package_does(vector) -> None:
    given, request, signed = vector["input"], vector["request"], vector["signed"]
    headers = dict(request["headers"])
    wanted = headers.pop("Authorization")
    url = f"https://{given['host']}{request['target']}"
    canonical = canonical_request(request["method"], url, headers, request["body"].encode())
    assert canonical == signed["canonical_request"]
    assert string_to_sign(headers["X-Sdk-Date"], canonical) == signed["string_to_sign"]
    assert wanted.endswith(f"Signature={signed['signature']}")
    assert authorization(given["app_key"], given["app_secret"], request["method"], url, headers) == wanted


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_date_is_that_of_the_clock(vector) -> None:
    assert date_of(Instant(vector["input"]["clock"] * 1000)) == dict(vector["request"]["headers"])["X-Sdk-Date"]


def test_parts_of_a_second_are_dropped() -> None:
    assert date_of(Instant(1_767_225_600_999)) == "20260101T000000Z"


@pytest.mark.parametrize(
    "other",
    [
        sign(method="PUT"),
        sign(url="https://smsapi.example/sms/v2"),
        sign(url=f"{URL}?a=1"),
        sign(headers=HEADERS | {"Host": "other.example"}),
        sign(headers=HEADERS | {"X-Sdk-Date": "20260101T000001Z"}),
        sign(headers=HEADERS | {"Content-Type": "text/plain"}),
        sign(body=b"to=2"),
        sign(key="l"),
        sign(secret="t"),
    ],
)
def test_whatever_is_signed_changes_the_signature(other: str) -> None:
    assert other != sign()


def test_a_body_that_is_not_signed_changes_nothing() -> None:
    headers = HEADERS | {"X-Sdk-Content-Sha256": "UNSIGNED-PAYLOAD"}
    assert sign(headers=headers, body=b"to=1") == sign(headers=headers, body=b"to=2")


def test_names_and_order_of_headers_and_of_the_query_make_no_difference() -> None:
    other = {name.upper(): f"  {value} " for name, value in reversed(HEADERS.items())}
    assert sign(url=f"{URL}/?a=1&b=", headers=other) == sign(url=f"{URL}?b=&a=1")


@pytest.mark.parametrize(
    ("url", "path", "query"),
    [
        ("https://a.example", "/", ""),
        ("https://a.example/x", "/x/", ""),
        ("https://a.example/x/", "/x/", ""),
        ("https://a.example/x%20y/%7e", "/x%20y/~/", ""),
        ("https://a.example/门?b=2&a=1&a=0&c=", "/%E9%97%A8/", "a=0&a=1&b=2&c="),
        ("https://a.example/?q=a+b%2F", "/", "q=a%20b%2F"),
    ],
)
def test_an_address_has_one_form(url: str, path: str, query: str) -> None:
    assert canonical_request("get", url, HEADERS).split("\n")[:3] == ["GET", path, query]


@given(
    st.dictionaries(st.from_regex(r"\A[a-z-]{1,12}\Z"), st.text(st.characters(codec="ascii", exclude_categories=["C"])))
)
def test_every_header_stands_in_the_list_of_those_signed(headers: dict[str, str]) -> None:
    names = sorted({*headers, "host", "x-sdk-date"})
    assert f"SignedHeaders={';'.join(names)}," in sign(headers=headers | {"host": "a", "x-sdk-date": "b"})
