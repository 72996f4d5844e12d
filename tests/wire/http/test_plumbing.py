"""The plumbing that every dialect shares: whose address it is, what a cookie says, when a body ends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect

from menshen.wire.http.address import client_ip, host_name, is_secure
from menshen.wire.http.body import BODY_SECONDS, BodyTooLargeError, BodyTooSlowError, read_body
from menshen.wire.http.cookies import CookieJarRules, http_date, read_cookie, set_cookie

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


# --- addresses --------------------------------------------------------------------------------------------------------


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


# --- cookies ----------------------------------------------------------------------------------------------------------


def test_a_cookie_is_written_as_the_seed_shows_it() -> None:
    rules = CookieJarRules(domain="0.0.0.0", secure=False)
    expires = 1_601_803_195_000
    assert set_cookie("weichuangAUTHTOKEN", "3r6ebp6gabf6unbee35eu8u6bo", expires, rules, http_only=True) == (
        "weichuangAUTHTOKEN=3r6ebp6gabf6unbee35eu8u6bo; Path=/; Domain=0.0.0.0; "
        "Expires=Sun, 04 Oct 2020 09:19:55 GMT; HttpOnly; SameSite=Lax"
    )


@pytest.mark.attack("IN-5")
@pytest.mark.parametrize(
    ("rules", "written"),
    [
        (CookieJarRules("", secure=False), "n=v; Path=/; Expires=E; SameSite=Lax"),
        (CookieJarRules("a.example", secure=True), "n=v; Path=/; Domain=a.example; Expires=E; Secure; SameSite=Lax"),
        (
            CookieJarRules("a.example", secure=False, host_prefix=True),
            "__Host-n=v; Path=/; Expires=E; Secure; SameSite=Lax",
        ),
        (CookieJarRules("a;b", secure=False), "n=v; Path=/; Expires=E; SameSite=Lax"),
        (CookieJarRules("a\r\nSet-Cookie: x", secure=False), "n=v; Path=/; Expires=E; SameSite=Lax"),
        (CookieJarRules("a.example\n", secure=False), "n=v; Path=/; Expires=E; SameSite=Lax"),
        (CookieJarRules("a" * 254, secure=False), "n=v; Path=/; Expires=E; SameSite=Lax"),
    ],
)
def test_domain_and_prefix_are_the_apps(rules: CookieJarRules, written: str) -> None:
    expires = http_date(0)
    assert set_cookie("n", "v", 0, rules, http_only=False) == written.replace("E;", f"{expires};")


@pytest.mark.parametrize(
    ("at", "date"),
    [(0, "Thu, 01 Jan 1970 00:00:00 GMT"), (999, "Thu, 01 Jan 1970 00:00:00 GMT"),
     (951_782_400_000, "Tue, 29 Feb 2000 00:00:00 GMT"), (4_102_444_799_999, "Thu, 31 Dec 2099 23:59:59 GMT")],
)  # fmt: skip
def test_dates_are_imf_fixdates(at: int, date: str) -> None:
    assert http_date(at) == date


@pytest.mark.attack("CK-9")
@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (["T=x"], "x"), (["a=1; T=x; b=2"], "x"), (["a=1;T=x"], "x"), (['T="x"'], "x"), (["T=x=y"], "x=y"),
        (["a=1", "T=x"], "x"), (["T=x; T=y"], None), (["T=x", "T=x"], None), (["T="], None), (["T"], None), ([], None),
        (["t=x"], None), (["__Host-T=x"], None), (["=T=x"], None), (["=x; a=1"], None), (["T =x"], None),
        (["a=1; " * 200 + "T=x"], "x"), (["TT=x; xT=y"], None),
    ],
)  # fmt: skip
def test_a_cookie_is_read_by_its_exact_name_and_only_when_it_is_alone(lines: list[str], value: str | None) -> None:
    assert read_cookie(lines, "T") == value


# --- bodies -----------------------------------------------------------------------------------------------------------


async def received(parts: Iterable[Any], length: str | None = None, limit: int = 10, seconds: float = 60) -> bytes:
    """Parts are chunks, a message, or a number of seconds to wait."""
    waiting = list(parts)

    async def receive() -> Any:
        part = waiting.pop(0)
        if isinstance(part, dict):
            return part
        if isinstance(part, float):
            await asyncio.sleep(part)
            part = b""
        return {"type": "http.request", "body": part, "more_body": bool(waiting)}

    return await read_body(receive, length, limit, seconds)


async def test_a_body_comes_whole_in_however_many_pieces() -> None:
    assert await received([b""]) == b""
    assert await received([b"0123456789"]) == b"0123456789"
    assert await received([b"0123", b"", b"456789"]) == b"0123456789"
    assert await received([{"type": "http.request"}]) == b""


@pytest.mark.parametrize("parts", [[b"0123456789x"], [b"01234", b"56789x"], [b"0" * 11, b""], [b"x"] * 11])
async def test_a_longer_one_is_refused_whatever_it_said(parts: list[bytes]) -> None:
    for length in (None, "3", "-1", "x", "١٢"):
        with pytest.raises(BodyTooLargeError):
            await received(parts, length)


@pytest.mark.parametrize("length", ["11", "1000000000", "9" * 100])
async def test_one_that_says_so_is_refused_unread(length: str) -> None:
    with pytest.raises(BodyTooLargeError):
        await received([], length)


async def test_who_goes_away_sends_nothing() -> None:
    for parts in ([{"type": "http.disconnect"}], [b"01", {"type": "http.disconnect"}]):
        with pytest.raises(ClientDisconnect):
            await received([*parts, b""])


async def test_who_takes_too_long_is_not_waited_for() -> None:
    assert BODY_SECONDS == 15
    for parts in ([1.0], [b"0", 1.0], [b"0", 0.02, 0.02, 0.02, 0.02, b""]):
        with pytest.raises(BodyTooSlowError):
            await received(parts, seconds=0.05)
