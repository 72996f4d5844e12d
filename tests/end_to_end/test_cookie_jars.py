"""Cookies come back from real clients' jars, at an address, at a name of this machine, and at a domain.

The standard library's jar is also that of requests and httpx. Other clients were tried by hand (decision 0057).
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.cookiejar import CookieJar
from typing import Any

import httpx
import pytest
import requests

from tests.end_to_end.clients import WEIDU
from tests.end_to_end.conftest import PASSWORD
from tests.faults.waiting import wait_until
from tests.server import Server

LOGIN = {"login_id": "dnyz529", "password": PASSWORD}
Call = Callable[[str, str, Any, dict[str, str]], int]
"""Takes verb, address, JSON and headers; returns the status. The jar lives in it."""


@contextmanager
def of_requests() -> Iterator[tuple[Call, CookieJar]]:
    with requests.Session() as session:
        session.trust_env = False

        def call(verb: str, url: str, body: Any, headers: dict[str, str]) -> int:
            return session.request(verb, url, json=body, headers=headers, timeout=60).status_code

        yield call, session.cookies


@contextmanager
def of_httpx() -> Iterator[tuple[Call, CookieJar]]:
    with httpx.Client(trust_env=False, timeout=60) as client:

        def call(verb: str, url: str, body: Any, headers: dict[str, str]) -> int:
            return client.request(verb, url, json=body, headers=headers).status_code

        yield call, client.cookies.jar


@contextmanager
def of_urllib() -> Iterator[tuple[Call, CookieJar]]:
    jar = CookieJar()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(jar))

    def call(verb: str, url: str, body: Any, headers: dict[str, str]) -> int:
        data = None if body is None else json.dumps(body).encode()
        with opener.open(urllib.request.Request(url, data, headers, method=verb), timeout=60) as answer:
            return int(answer.status)

    yield call, jar


Client = Callable[[], AbstractContextManager[tuple[Call, CookieJar]]]


def csrf(jar: CookieJar) -> str:
    (value,) = [cookie.value for cookie in jar if cookie.name == "menshenCSRF"]
    return value or ""


@pytest.mark.parametrize("client", [of_requests, of_httpx, of_urllib])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_cookies_come_back(server: Server, host: str, client: Client) -> None:
    base = f"http://{host}:{server.port}"
    with client() as (call, jar):
        for _ in range(2):
            assert call("POST", f"{base}{WEIDU}/users/login", LOGIN, {}) == 200
            assert call("GET", f"{base}{WEIDU}/users/info", None, {}) == 200
            assert call("GET", f"{base}/auth/verify", None, {}) == 204
            assert len(list(jar)) == 3
        assert call("POST", f"{base}{WEIDU}/users/logout", {}, {"X-CSRF-Token": csrf(jar)}) == 200
        assert list(jar) == []


@pytest.mark.attack("TK-16")
def test_a_jar_survives_a_change_of_the_cookie_domain(server: Server) -> None:
    """requests takes the name in the Host header for that of the server."""
    base, at = f"http://127.0.0.1:{server.port}", {"Host": "login.example.com"}
    server.menshen("app", "set", "default", "--host", "login.example.com", "--cookie-domain", "")
    with of_requests() as (call, jar):
        wait_until(lambda: call("GET", f"{base}{WEIDU}/users/behavior/challenge", None, at) == 200)
        assert call("POST", f"{base}{WEIDU}/users/login", LOGIN, at) == 200
        assert {cookie.domain for cookie in jar} == {".login.example.com"}
        server.menshen("app", "set", "default", "--cookie-domain", "example.com")

        def moved() -> bool:
            assert call("POST", f"{base}{WEIDU}/users/login", LOGIN, at) == 200
            return {cookie.domain for cookie in jar} == {".example.com"}

        wait_until(moved)
        assert len(list(jar)) == 3
        assert call("GET", f"{base}{WEIDU}/users/info", None, at) == 200
        assert call("GET", f"{base}/auth/verify", None, at) == 204
        assert call("POST", f"{base}{WEIDU}/users/logout", {}, at | {"X-CSRF-Token": csrf(jar)}) == 200
        assert list(jar) == []
