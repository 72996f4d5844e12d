"""Addresses of vendors whose paths are fixed: scheme and host alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.core.outward.endpoints import find_origin_problems, origin_of


@pytest.mark.parametrize(
    ("url", "origin", "host"),
    [
        ("https://sms.vendor.example", "https://sms.vendor.example", "sms.vendor.example"),
        ("https://sms.vendor.example/", "https://sms.vendor.example", "sms.vendor.example"),
        ("https://SMS.Vendor.example", "https://sms.vendor.example", "sms.vendor.example"),
        ("https://sms.vendor.example:8443", "https://sms.vendor.example:8443", "sms.vendor.example:8443"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://[::1]:8080/", "http://[::1]:8080", "[::1]:8080"),
    ],
)
def test_a_good_address(url: str, origin: str, host: str) -> None:
    assert [*find_origin_problems("endpoint", url)] == []
    assert origin_of(url) == (origin, host)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sms.vendor.example",
        "http://sms.vendor.example",
        "https://sms.vendor.example/v1",
        "https://sms.vendor.example?a=b",
        "https://sms.vendor.example#part",
        "https://user@sms.vendor.example",
        "https://sms.vendor.example:port",
        "https://sms vendor.example",
        "https://[::1",
        "ftp://sms.vendor.example",
    ],
)
def test_a_bad_address_is_told_once(url: str) -> None:
    assert [found.key for found in find_origin_problems("endpoint", url)] == ["endpoint"]


@given(st.text(max_size=40) | st.text(max_size=40).map("https://h.example".__add__))
def test_what_is_good_is_sent_as_it_stands(url: str) -> None:
    if not [*find_origin_problems("endpoint", url)]:
        assert origin_of(url)[0] == url.rstrip("/").lower()
