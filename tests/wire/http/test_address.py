"""Whose address it is, whether it speaks HTTPS, and what a host is called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from menshen.wire.http.address import client_ip, host_name, is_secure, public_url

PEER = {"client": ("198.51.100.1", 40_000), "scheme": "http"}


def headers(**given_headers: str | list[str]) -> Headers:
    pairs = [(name, [value] if isinstance(value, str) else value) for name, value in given_headers.items()]
    return Headers(
        raw=[
            (name.replace("_", "-").encode(), value.encode("latin-1", "replace"))
            for name, values in pairs
            for value in values
        ]
    )


@pytest.mark.parametrize("proxies", [0, 1, 2])
def test_without_a_forwarded_address_the_peer_counts(proxies: int) -> None:
    assert client_ip(PEER, headers(), proxies) == "198.51.100.1"


@pytest.mark.attack("HD-1", "OT-7")
@pytest.mark.parametrize("value", ["203.0.113.9", "a, 203.0.113.9", "", "127.0.0.1"])
def test_with_no_trusted_proxy_no_header_counts(value: str) -> None:
    spoofed = headers(x_forwarded_for=value, x_real_ip=value, forwarded=f"for={value}", cf_connecting_ip=value)
    assert client_ip(PEER, spoofed, 0) == "198.51.100.1"


@pytest.mark.attack("HD-1")
@pytest.mark.parametrize(
    ("lines", "proxies", "ip"),
    [
        (["203.0.113.9"], 1, "203.0.113.9"),
        (["1.1.1.1, 203.0.113.9"], 1, "203.0.113.9"),
        (["1.1.1.1, 203.0.113.9, 10.0.0.2"], 2, "203.0.113.9"),
        (["1.1.1.1", "203.0.113.9"], 1, "203.0.113.9"),
        (["1.1.1.1,203.0.113.9", "10.0.0.2"], 2, "203.0.113.9"),
        (["203.0.113.9"], 2, "198.51.100.1"),
        (["203.0.113.9, a"], 1, "198.51.100.1"),
        (["203.0.113.9,"], 1, "198.51.100.1"),
        ([""], 1, "198.51.100.1"),
        (["unknown"], 1, "198.51.100.1"),
        (["203.0.113.9:4711"], 1, "203.0.113.9"),
        (["[2001:db8::1]:4711"], 1, "2001:db8::1"),
        (["2001:DB8::1"], 1, "2001:db8::1"),
        (["fe80::1%eth0"], 1, "fe80::1"),
        (["::ffff:203.0.113.9"], 1, "203.0.113.9"),
        (["9" * 70_000], 1, "198.51.100.1"),
        ([",".join(["1.1.1.1"] * 1000)], 1, "1.1.1.1"),
    ],
)
def test_with_trusted_proxies_the_nth_from_the_right_counts(lines: list[str], proxies: int, ip: str) -> None:
    assert client_ip(PEER, headers(x_forwarded_for=lines), proxies) == ip


def test_a_socket_without_addresses_has_none() -> None:
    assert client_ip({"client": None}, headers(), 0) == "0.0.0.0"
    assert client_ip({"client": ("", 0)}, headers(), 1) == "0.0.0.0"
    assert client_ip({"client": ("::ffff:198.51.100.1", 1)}, headers(), 0) == "198.51.100.1"


@pytest.mark.attack("HD-2")
@given(st.lists(st.text(max_size=20), max_size=4), st.integers(0, 3))
def test_no_header_breaks_it(lines: list[str], proxies: int) -> None:
    assert client_ip(PEER, headers(x_forwarded_for=lines, x_forwarded_proto=lines), proxies)
    assert is_secure(PEER, headers(x_forwarded_proto=lines), proxies) in {True, False}


@pytest.mark.parametrize(
    ("scheme", "lines", "proxies", "secure"),
    [
        ("https", [], 0, True), ("http", [], 0, False), ("http", ["https"], 0, False), ("https", ["http"], 0, True),
        ("http", ["https"], 1, True), ("https", ["http"], 1, False), ("http", [], 1, False), ("https", [], 1, True),
        ("http", ["http, https"], 1, True), ("http", ["https, http"], 1, False), ("http", ["https, http"], 2, True),
        ("http", ["https"], 2, True), ("http", ["HTTPS"], 1, False),
    ],
)  # fmt: skip
def test_https_is_the_sockets_or_a_trusted_proxys_word(
    scheme: str, lines: list[str], proxies: int, secure: bool
) -> None:
    assert is_secure({"scheme": scheme}, headers(x_forwarded_proto=lines), proxies) is secure


@pytest.mark.parametrize(
    ("header", "name"),
    [("a.example:8400", "a.example"), ("a.example", "a.example"), ("[::1]:80", "::1"), ("[::1]", "::1"), ("", "")],
)
def test_a_hosts_name_has_no_port(header: str, name: str) -> None:
    assert host_name(header) == name


CALLED = {**PEER, "raw_path": b"/receipts/a/b%2Fc", "query_string": b"x=1%202"}


@pytest.mark.parametrize(
    ("proxies", "given_headers", "url"),
    [
        (0, {}, "http://a.example"),
        (0, {"x_forwarded_host": "b.example", "x_forwarded_proto": "https"}, "http://a.example"),
        (1, {"x_forwarded_proto": "https"}, "https://a.example"),
        (1, {"x_forwarded_host": "b.example:8443", "x_forwarded_proto": "https"}, "https://b.example:8443"),
        (1, {"x_forwarded_host": "evil.example, b.example"}, "http://b.example"),
        (1, {"x_forwarded_host": ["evil.example", "b.example"]}, "http://b.example"),
        (2, {"x_forwarded_host": "evil.example,b.example , c.example"}, "http://b.example"),
        (2, {"x_forwarded_host": "b.example"}, "http://a.example"),
        (1, {"x_forwarded_host": ""}, "http://a.example"),
        (1, {"x_forwarded_host": "b.example/path"}, "http://a.example"),
        (1, {"x_forwarded_host": "user@b.example"}, "http://a.example"),
        (1, {"x_forwarded_host": "[2001:db8::1]:80"}, "http://[2001:db8::1]:80"),
    ],
)
def test_the_public_address_is_the_one_that_the_client_called(
    proxies: int, given_headers: dict[str, str | list[str]], url: str
) -> None:
    given = headers(host="a.example", **given_headers)
    assert public_url(CALLED, given, proxies) == f"{url}/receipts/a/b%2Fc?x=1%202"


def test_a_public_address_without_a_query_has_no_mark_of_one() -> None:
    assert public_url(CALLED | {"query_string": b""}, headers(host="a"), 0) == "http://a/receipts/a/b%2Fc"


@given(st.text(), st.text(), st.integers(0, 3))
def test_any_forwarded_host_gives_some_address(line: str, host: str, proxies: int) -> None:
    given_headers = headers(host=host, x_forwarded_host=line)
    assert public_url(CALLED, given_headers, proxies).startswith("http://")
