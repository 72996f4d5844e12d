"""Which pages may write and log in: those of ours and those that are listed. (CK-2, CK-4.)"""

from __future__ import annotations

import pytest

from menshen.wire.dialect import Access
from menshen.wire.weidu import ROUTES
from tests.wire.weidu.carrying import AUTH, CSRF_REFUSED, LOGIN, OK, log_out, logged_in, said
from tests.wire.weidu.scripted import CSRF, ScriptedWeidu

OWN = "http://127.0.0.1:8400"


@pytest.fixture
def script() -> ScriptedWeidu:
    return logged_in()


FOREIGN = [
    {"origin": "null"},
    {"origin": ""},
    {"origin": "https://127.0.0.1:8400"},
    {"origin": "http://127.0.0.1"},
    {"origin": "http://127.0.0.1:8401"},
    {"origin": "http://127.0.0.1:8400.evil.example"},
    {"origin": "http://evil.example"},
    {"origin": "http://x@127.0.0.1:8400"},
    {"origin": "http://127.0.0.1:8400/"},
    {"origin": "http://localhost:8400"},
    {"origin": "http://127.0.0.1:8400 http://evil.example"},
    {"origin": "file://"},
    {"origin": "chrome-extension://x"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": ""},
    {"sec-fetch-site": "SAME-ORIGIN"},
    {"sec-fetch-site": "cross-site", "origin": OWN},
]
OWN_PAGES = [
    {},
    {"origin": OWN},
    {"origin": OWN.upper()},
    {"sec-fetch-site": "same-origin"},
    {"sec-fetch-site": "none"},
    {"sec-fetch-site": "same-origin", "origin": "https://127.0.0.1:8400"},
]


@pytest.mark.attack("CK-2", "CK-4")
@pytest.mark.parametrize("headers", FOREIGN, ids=str)
async def test_a_foreign_page_writes_nothing_and_logs_nobody_in(script: ScriptedWeidu, headers: dict[str, str]) -> None:
    write = await log_out(script, ("cookie", AUTH), ("x-csrf-token", CSRF), *headers.items())
    async with script.client() as client:
        login = await client.post("/users/login", content=LOGIN, headers=headers)
    assert said(write) == said(login) == CSRF_REFUSED
    assert script.asked == []


@pytest.mark.parametrize("headers", OWN_PAGES, ids=str)
async def test_pages_of_ours_do(script: ScriptedWeidu, headers: dict[str, str]) -> None:
    write = await log_out(script, ("cookie", AUTH), ("x-csrf-token", CSRF), *headers.items())
    async with script.client() as client:
        login = await client.post("/users/login", content=LOGIN, headers=headers)
    assert said(write) == said(login) == OK


@pytest.mark.attack("CK-4")
async def test_two_origins_are_foreign(script: ScriptedWeidu) -> None:
    twice = [("origin", OWN), ("origin", OWN)]
    assert said(await log_out(script, ("cookie", AUTH), ("x-csrf-token", CSRF), *twice)) == CSRF_REFUSED


@pytest.mark.attack("CK-4")
async def test_two_sites_are_foreign(script: ScriptedWeidu) -> None:
    twice = [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "none")]
    assert said(await log_out(script, ("cookie", AUTH), ("x-csrf-token", CSRF), *twice)) == CSRF_REFUSED


async def test_every_call_that_sets_cookies_asks(script: ScriptedWeidu) -> None:
    paths = [route.path for route in ROUTES if route.access is Access.LOGIN]
    assert paths == [
        *("/users/login", "/users/mobile/login", "/users/email/login", "/users/mobile/signup"),
        *("/users/login/second", "/users/passkey/login"),
    ]
    of_tickets = [route.path for route in ROUTES if route.access is Access.TICKET]
    assert of_tickets == ["/users/login/second/options", "/users/login/second/sms"]
    async with script.client() as client:
        for path in paths + of_tickets:
            response = await client.post(path, content=b"{}", headers={"sec-fetch-site": "cross-site"})
            assert said(response) == CSRF_REFUSED


async def test_behind_https_the_origin_is_https(script: ScriptedWeidu) -> None:
    async with script.client("https://login.example") as client:
        own = await client.post("/users/login", content=LOGIN, headers={"origin": "https://login.example"})
        plain = await client.post("/users/login", content=LOGIN, headers={"origin": "http://login.example"})
    assert (said(own), said(plain)) == (OK, CSRF_REFUSED)
