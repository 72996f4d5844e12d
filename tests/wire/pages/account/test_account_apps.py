"""Apps: which ones have sessions, and the end of one's sessions."""

from __future__ import annotations

from menshen.core.pages.settings import PageSettings
from menshen.core.sessions.sessions import FRESH_FOR
from menshen.core.time import HOUR
from tests.harness import Harness
from tests.wire.pages.members import PASSWORD, PHONE, Person, live, log_in
from tests.wire.weidu.client import Client

PAGE = "/account/apps"


async def use_app(h: Harness, name: str, **device: str) -> Client:
    client = Client(h, base_url=f"http://{name}.example")
    await client.post("/users/login", login_id=PHONE, password=PASSWORD, **device)
    assert client.token
    return client


async def test_apps_are_listed_by_their_last_use(pages: Harness) -> None:
    forum = await pages.add_app("forum", host="forum.example", appkey="33333333")
    await pages.add_app("shop", host="shop.example", appkey="22222222")
    named = PageSettings(display_name_en="Tea Forum")
    await pages.store.write(lambda tx: tx.app_pages.save(forum.app_id, named, pages.clock.now()))
    await use_app(pages, "forum")
    pages.clock.advance(HOUR)
    await use_app(pages, "shop", device_id="a1b2c3d4e5f6")
    await use_app(pages, "shop", device_id="a1b2c3d4e5f7")
    pages.clock.advance(HOUR)
    page = await (await log_in(pages)).get(PAGE)
    assert page.text.index("Spruce Shop This app") < page.text.index("2 logins") < page.text.index("Tea Forum")
    assert [form.buttons for form in page.forms] == [
        ["Log out of shop everywhere (2)"],
        ["Log out of Tea Forum everywhere (1)"],
    ]


async def test_the_sessions_of_one_app_end(pages: Harness, alice: Person) -> None:
    await pages.add_app("shop", host="shop.example", appkey="22222222")
    first, second = await use_app(pages, "shop"), await use_app(pages, "shop", device_id="a1b2c3d4e5f6")
    here = Client(pages)
    await here.post("/users/login", login_id=PHONE, password=PASSWORD)
    await alice.get(PAGE)
    await alice.press(f"{PAGE}/end", {"app": "shop"})
    page = await alice.follow()
    assert page.said["status"] == "The app is logged out there."
    assert (await live(first), await live(second), await live(here)) == (False, False, True)


async def test_this_browser_stays_when_its_app_ends_elsewhere(pages: Harness, alice: Person) -> None:
    here = Client(pages)
    await here.post("/users/login", login_id=PHONE, password=PASSWORD)
    page = await alice.get(PAGE)
    assert page.form(f"{PAGE}/end").buttons == ["Log out of Spruce Shop on other devices (1)"]
    await alice.press(f"{PAGE}/end")
    page = await alice.follow()
    assert "1 login" in page.text
    assert not page.forms
    assert not await live(here)


async def test_an_app_without_sessions_of_this_account_has_nothing_to_end(pages: Harness, alice: Person) -> None:
    await pages.add_app("shop", host="shop.example", appkey="22222222")
    await pages.add_account("mallory", phone="13544285664", password=PASSWORD)
    used = await use_app(pages, "shop")
    mallory = await log_in(pages, "mallory")
    csrf = (await mallory.get("/account/profile")).form("/account/profile").fields["csrf"]
    for name in ("shop", "default", "nothing", ""):
        await mallory.post(f"{PAGE}/end", {"csrf": csrf, "app": name})
        assert mallory.page.said["alert"] == "This is not here any more."
    assert await live(used)


async def test_without_a_fresh_proof_identity_is_asked_first(pages: Harness, alice: Person) -> None:
    here = Client(pages)
    await here.post("/users/login", login_id=PHONE, password=PASSWORD)
    pages.clock.advance(FRESH_FOR)
    await alice.get(PAGE)
    await alice.press(f"{PAGE}/end")
    assert alice.leads_to == "/account/prove?next=%2Faccount%2Fapps"
    assert await live(here)
