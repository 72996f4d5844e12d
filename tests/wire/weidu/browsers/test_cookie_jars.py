"""Cookies in the jar of a client when the domain of the cookies changes. (Decision 0057, TK-16, CK-9.)"""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.harness import Harness
from tests.wire.weidu.client import PASSWORD

LOGIN, OWN, UPPER = "login.example.com", "login.example.com", "example.com"
BASE = "/weidu/api/v1/users"
DOMAINS = ["", UPPER, f".{UPPER}", LOGIN]


@pytest.fixture
async def browser(harness: Harness) -> AsyncIterator[httpx.AsyncClient]:
    """A client at login.example.com that keeps cookies."""
    await harness.change_app(host=LOGIN)
    await harness.add_account("alice1", password=PASSWORD)
    async with harness.client_from("127.0.0.1", f"http://{LOGIN}") as client:
        yield client


async def log_in(browser: httpx.AsyncClient, name: str = "alice1") -> httpx.Response:
    answer = await browser.post(f"{BASE}/login", json={"login_id": name, "password": PASSWORD})
    assert answer.status_code == 200
    return answer


def kept(browser: httpx.AsyncClient) -> list[str]:
    """The names of the cookies in the jar."""
    return sorted(cookie.name for cookie in browser.cookies.jar)


THREE = ["menshenAUTHTOKEN", "menshenCSRF", "menshenUSERID"]


async def works(browser: httpx.AsyncClient) -> bool:
    """Whether the jar is logged in, at a read, at the token check and at a write."""
    csrf = [cookie.value for cookie in browser.cookies.jar if cookie.name == "menshenCSRF"]
    read = (await browser.get(f"{BASE}/info")).status_code
    check = (await browser.get("/auth/verify")).status_code
    write = (
        await browser.put(f"{BASE}/update", json={"city": "x"}, headers={"x-csrf-token": csrf[0] or ""})
    ).status_code
    return (read, check, write) == (200, 204, 200)


async def test_a_login_without_cookies_sets_three_and_deletes_none(browser: httpx.AsyncClient) -> None:
    browser.cookies.set("menshenTHEME", "dark", domain=LOGIN)
    assert len((await log_in(browser)).headers.get_list("set-cookie")) == 3


@pytest.mark.attack("TK-16")
@pytest.mark.parametrize("before", DOMAINS)
@pytest.mark.parametrize("after", DOMAINS)
async def test_a_login_deletes_what_would_contradict_it(
    browser: httpx.AsyncClient, harness: Harness, before: str, after: str
) -> None:
    await harness.change_app(cookie_domain=before)
    first = (await log_in(browser)).headers["token"]
    await harness.change_app(cookie_domain=after)
    assert await works(browser), "the older cookie is good as long as its session is"
    await log_in(browser)
    assert kept(browser) == THREE
    assert await works(browser)
    bearer = {"authorization": f"Bearer {first}"}
    async with harness.client_from("127.0.0.1") as bare:
        assert (await bare.get("/auth/verify", headers=bearer)).status_code == 401, "its session has ended"


@pytest.mark.attack("TK-16")
@pytest.mark.parametrize("after", DOMAINS)
async def test_a_logout_deletes_all(browser: httpx.AsyncClient, harness: Harness, after: str) -> None:
    await log_in(browser)
    await harness.change_app(cookie_domain=after)
    (csrf,) = [cookie.value for cookie in browser.cookies.jar if cookie.name == "menshenCSRF"]
    assert (await browser.post(f"{BASE}/logout", headers={"x-csrf-token": csrf or ""})).status_code == 200
    assert kept(browser) == []
    assert (await browser.get(f"{BASE}/info")).status_code == 401


@pytest.mark.attack("CK-9", "TK-16")
async def test_what_a_sibling_adds_shuts_nobody_out_and_goes_with_the_next_login(browser: httpx.AsyncClient) -> None:
    await log_in(browser)
    for name in THREE:
        browser.cookies.set(name, "y" * 26, domain=f".{UPPER}")
    assert (await browser.get(f"{BASE}/info")).status_code == 200
    assert (await browser.get("/auth/verify")).status_code == 204
    await log_in(browser)
    assert kept(browser) == THREE
    assert await works(browser)


@pytest.mark.attack("CK-9", "TK-16")
async def test_a_sibling_that_adds_its_own_login_logs_nobody_in_as_itself(
    browser: httpx.AsyncClient, harness: Harness
) -> None:
    await harness.add_account("mallory", password=PASSWORD)
    async with harness.client_from("127.0.0.1", f"http://{LOGIN}") as theirs:
        planted = (await log_in(theirs, "mallory")).headers["token"]
    await log_in(browser)
    browser.cookies.set("menshenAUTHTOKEN", planted, domain=f".{UPPER}")
    assert (await browser.get(f"{BASE}/info")).status_code == 401
    assert (await browser.get("/auth/verify")).status_code == 401
    await log_in(browser)
    assert await works(browser)
    assert kept(browser) == THREE


@pytest.mark.attack("TK-1", "TK-16")
async def test_a_login_ends_the_good_one_of_several(browser: httpx.AsyncClient, harness: Harness) -> None:
    good = (await log_in(browser)).headers["token"]
    browser.cookies.set("menshenAUTHTOKEN", "y" * 26, domain=f".{UPPER}")
    await harness.add_account("bob123", password=PASSWORD)
    await log_in(browser, "bob123")
    async with harness.client_from("127.0.0.1") as bare:
        for name in ("authorization", "token"):
            value = f"Bearer {good}" if name == "authorization" else good
            assert (await bare.get("/auth/verify", headers={name: value})).status_code == 401


@pytest.mark.attack("TK-16")
async def test_more_cookies_than_are_looked_at_are_deleted_too(browser: httpx.AsyncClient) -> None:
    line = "; ".join(f"menshenAUTHTOKEN=x{n}" for n in range(9))
    body = {"login_id": "alice1", "password": PASSWORD}
    answer = await browser.post(f"{BASE}/login", json=body, headers={"cookie": line})
    places = [
        cookie.partition("Path=/; ")[2].partition("Expires")[0] for cookie in answer.headers.get_list("set-cookie")
    ]
    assert places == ["", "", "", *["Domain=example.com; "] * 3, *["Domain=login.example.com; "] * 3]


async def test_host_cookies_have_one_place(browser: httpx.AsyncClient, harness: Harness) -> None:
    await harness.change_app(host_only_cookies=True)
    cookie = {"cookie": "__Host-menshenAUTHTOKEN=x; __Host-menshenCSRF=y"}
    answer = await browser.post(f"{BASE}/login", json={"login_id": "alice1", "password": PASSWORD}, headers=cookie)
    assert len(answer.headers.get_list("set-cookie")) == 3
