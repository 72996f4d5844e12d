"""Addresses that codes and keys go to: https, or http on this machine, and nothing that cannot be asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.core.outward.endpoints import find_endpoint_problems, find_origin_problems, origin_of

GOOD_ORIGINS = [
    "https://vendor.example", "https://vendor.example/", "https://vendor.example:8443", "https://VENDOR.example",
    "https://192.0.2.7", "https://[2001:db8::1]:8443", "https://xn--fiqs8s.example",
    "http://localhost", "http://localhost:8080/", "http://127.0.0.1:9", "http://127.9.9.9", "http://[::1]:8080",
]  # fmt: skip
GOOD_PATHS = [
    "https://vendor.example/v1/messages", "https://vendor.example/v1?version=2", "https://vendor.example/%E4%BD%A0",
    "http://localhost:8080/hook",
]  # fmt: skip
IN_CLEAR = [
    "http://vendor.example", "http://192.0.2.7/", "http://10.0.0.1", "http://localhost.vendor.example",
    "http://127.0.0.1.vendor.example", "http://0.0.0.0", "http://[2001:db8::1]", "HTTP://vendor.example",
    "http://localhost@vendor.example", "http://128.0.0.1", "http://[::ffff:10.0.0.1]",
]  # fmt: skip
BAD = [
    "", " ", "vendor.example", "//vendor.example", "https:", "https://", "https:///path", "https:vendor.example",
    "ftp://vendor.example", "file:///etc/passwd", "javascript:alert(1)", "unix:///run/x.sock",
    "https://vendor.example:port", "https://vendor.example:99999", "https://vendor.example:-1", "https://[::1",
    "https://[zz]/", "https://vendor.example/a b", " https://vendor.example", "https://vendor.example\n",
    "https://vendor.example/\r\nX: y", "https://vendor.example\x00", "https://vendor.example/\t", "https://vendor。example",
    "https://门神.example", "https://vendor.example/\u202e", "https://vendor.example/\x7f", "https://\ud800.example",
]  # fmt: skip


def problems(url: str) -> list[str]:
    return [f"{finding.key} {finding.text}" for finding in find_endpoint_problems("url", url)]


def origin_problems(url: str) -> list[str]:
    return [f"{finding.key} {finding.text}" for finding in find_origin_problems("url", url)]


@pytest.mark.parametrize("url", GOOD_ORIGINS + GOOD_PATHS)
def test_https_is_good_and_http_on_this_machine(url: str) -> None:
    assert problems(url) == []


@pytest.mark.parametrize("url", IN_CLEAR)
def test_codes_are_not_sent_in_clear(url: str) -> None:
    for found in (problems(url), origin_problems(url)):
        (problem,) = found
        assert problem.startswith("url would send codes in clear to ")


@pytest.mark.parametrize("url", BAD)
def test_what_cannot_be_asked_is_refused_with_one_finding(url: str) -> None:
    assert problems(url) == ["url must be an https address"]
    assert origin_problems(url) == ["url must be an https address"]


@pytest.mark.parametrize("url", GOOD_ORIGINS)
def test_an_origin_is_scheme_and_host(url: str) -> None:
    assert origin_problems(url) == []
    origin, host = origin_of(url)
    assert origin == f"{url.partition(':')[0]}://{host}"
    assert host == url.partition("://")[2].rstrip("/").lower()


@pytest.mark.parametrize(
    "url",
    [*GOOD_PATHS, "https://vendor.example?x", "https://vendor.example/?x", "https://vendor.example#x",
     "https://user@vendor.example", "https://user:password@vendor.example/", "https://@vendor.example",
     "https://vendor.example/.", "https://vendor.example/;x"],
)  # fmt: skip
def test_an_origin_has_nothing_behind_or_before_its_host(url: str) -> None:
    (problem,) = origin_problems(url)
    assert problem.startswith("url must be scheme and host alone")


@given(st.text(max_size=30) | st.text(alphabet="htps:/@.[]1?#\\ ", max_size=16).map(lambda tail: f"http{tail}"))
def test_any_text_gives_at_most_one_finding_and_raises_nothing(url: str) -> None:
    found = problems(url)
    assert len(found) <= 1
    assert len(origin_problems(url)) <= 1
    if not origin_problems(url):
        assert not found
        origin, host = origin_of(url)
        assert host
        assert "@" not in origin
        assert origin.isascii()


@given(st.text(max_size=20))
def test_no_finding_shows_the_password_in_an_address(secret: str) -> None:
    for url in (f"http://user:canary{secret}@vendor.example/", f"https://user:canary{secret}@vendor.example/"):
        assert not any("canary" in found for found in problems(url) + origin_problems(url))
