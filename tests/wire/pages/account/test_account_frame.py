"""All pages of an account: strangers are sent to the login and back, forms are bound, and nothing stays behind."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from menshen.wire.dialect import Access
from menshen.wire.pages.routing import routes
from tests.harness import Harness
from tests.wire.pages.members import Person, log_in, stranger

PAGES = sorted(
    route.path for route in routes() if route.access is Access.PRIVATE and route.verb == "GET" and "{" not in route.path
)
FORMS = sorted(route.path for route in routes() if route.path.startswith("/account") and route.verb == "POST")


@pytest.mark.parametrize("path", PAGES)
async def test_a_stranger_is_sent_to_the_login_and_back(path: str, pages: Harness) -> None:
    person = stranger(pages)
    await person.get(path)
    assert person.leads_to == f"/login?next={quote(path, safe='')}"


@pytest.mark.parametrize("path", FORMS)
async def test_a_form_of_a_stranger_is_not_taken(path: str, pages: Harness) -> None:
    person = stranger(pages)
    csrf = (await person.get("/login?way=password")).forms[0].fields["csrf"]
    await person.post(path, {"csrf": csrf, "back": "/account/profile"})
    assert person.leads_to == "/login?next=%2Faccount%2Fprofile"


@pytest.mark.parametrize("path", FORMS)
async def test_a_form_without_the_value_of_its_browser_is_not_taken(path: str, pages: Harness, alice: Person) -> None:
    other = await log_in(pages)
    csrf = (await other.get("/account/profile")).form("/account/profile").fields["csrf"]
    for fields in ({"back": path}, {"csrf": ""}, {"csrf": csrf}):
        assert (await alice.post(path, fields)).status_code == 403


@pytest.mark.parametrize("path", PAGES)
async def test_after_a_logout_nothing_is_shown(path: str, alice: Person) -> None:
    await alice.get(path)
    assert alice.answer.headers["cache-control"] == "no-store"
    await alice.get("/account")
    await alice.press("/logout")
    await alice.get(path)
    assert alice.leads_to.startswith("/login")
    assert alice.answer.headers["cache-control"] == "no-store"
    assert not alice.answer.content


async def test_each_page_names_its_part_and_leads_to_the_others(alice: Person) -> None:
    parts = ["", "/devices", "/security", "/profile", "/apps", "/data"]
    for path in ("/account", "/account/devices", "/account/profile", "/account/apps"):
        page = await alice.get(path)
        assert {f"/account{part}" for part in parts} <= set(page.links)
        assert alice.answer.text.count('aria-current="page"') == 1
        assert page.heading
