"""Devices: each session in words, the end of one and of all others, and "that was not me"."""

from __future__ import annotations

import pytest

from menshen.core.sessions.sessions import FRESH_FOR, Session
from menshen.core.time import HOUR, Instant
from menshen.wire.pages.calls.account.listing import kind_of, way_of
from menshen.wire.pages.look.words import Words
from tests.harness import Harness
from tests.wire.pages.members import PASSWORD, PHONE, Person, live, log_in, stranger
from tests.wire.weidu.client import Client

PAGE = "/account/devices"
PHONE_OF_KEVIN = {"device_id": "a1b2c3d4e5f6", "device_model": "iPhone15,3", "device_name": "Kevin's iPhone"}


async def app_session(h: Harness, ip: str = "198.51.100.7", **device: str) -> Client:
    """A session of an app on a phone."""
    client = Client(h, ip=ip)
    await client.post("/users/login", login_id=PHONE, password=PASSWORD, **(device or PHONE_OF_KEVIN))
    assert client.token
    return client


def id_of(person: Person, number: int = 0) -> str:
    """The session in a form that ends one."""
    return [form for form in person.page.forms if form.action == f"{PAGE}/end"][number].fields["session"]


async def test_each_session_is_told_in_words(pages: Harness) -> None:
    await app_session(pages)
    pages.clock.advance(2 * HOUR)
    page = await (alice := await log_in(pages)).get(PAGE)
    own, other = page.text.split("Other devices (1)")
    assert "This device" in own
    assert "Password" in own
    assert "Kevin's iPhone" not in own
    assert "Kevin's iPhone" in other
    assert "Spruce Shop" in other
    assert "2 hours ago" in other
    assert len(page.times) == 5
    assert [form.buttons for form in page.forms if form.action == f"{PAGE}/end"] == [["End Kevin's iPhone"]]
    assert alice.answer.text.count('class="tile"') == 2


CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)


async def test_a_browser_is_named_by_its_product_and_system(pages: Harness) -> None:
    person = stranger(pages)
    person.client.headers["user-agent"] = CHROME
    await log_in(pages, person=person)
    await (alice := await log_in(pages)).get(PAGE)
    assert alice.page.form(f"{PAGE}/end").buttons == ["End Chrome, Windows"]
    assert "Web browser" in alice.page.text


@pytest.mark.parametrize(
    ("platform", "model", "name", "kind"),
    [
        ("weidu", "iPhone15,3", "Kevin's iPhone", "phone"),
        ("weidu", "Android", "Chrome, Android", "phone"),
        ("weidu", "iPadOS", "Safari, iPadOS", "tablet"),
        ("weidu", "Windows", "Chrome, Windows", "desktop"),
        ("ios", "", "", "phone"),
        ("pages", "", "", "desktop"),
        ("weidu", "", "", "program"),
    ],
)
def test_a_picture_shows_the_kind_of_device(platform: str, model: str, name: str, kind: str) -> None:
    dialect = platform if platform in {"weidu", "pages"} else "careyshop"
    now = Instant(0)
    session = Session("s", 1, 1, dialect, platform, None, "", model, name, "", now, now, now, now, now, 0)
    assert kind_of(session) == kind


async def test_addresses_are_shortened_without_a_fresh_proof(pages: Harness, alice: Person) -> None:
    await app_session(pages)
    assert "198.51.100.7" in (await alice.get(PAGE)).text
    pages.clock.advance(FRESH_FOR)
    text = (await alice.get(PAGE)).text
    assert "198.51.100.*" in text
    assert "198.51.100.7" not in text


async def test_a_lonely_session_has_nothing_to_end(alice: Person) -> None:
    page = await alice.get(PAGE)
    assert "You are logged in nowhere else." in page.text
    assert not page.forms


async def test_one_session_ends(pages: Harness, alice: Person) -> None:
    phone, tablet = await app_session(pages), await app_session(pages, device_name="iPad")
    await alice.get(PAGE)
    (form,) = [form for form in alice.page.forms if form.buttons == ["End iPad"]]
    await alice.send(form)
    page = await alice.follow()
    assert page.said["status"] == "The device is logged out."
    assert "iPad" not in page.text
    assert (await live(phone), await live(tablet)) == (True, False)


async def test_what_is_gone_is_not_ended_again(pages: Harness, alice: Person) -> None:
    await app_session(pages)
    await alice.get(PAGE)
    (form,) = [form for form in alice.page.forms if form.action == f"{PAGE}/end"]
    await alice.send(form)
    assert alice.leads_to == PAGE
    await alice.send(form)
    assert alice.answer.status_code == 200
    assert alice.page.said["alert"] == "This is not here any more."


@pytest.mark.parametrize("act", ["end", "disown"])
async def test_the_session_of_another_account_stays(act: str, pages: Harness, alice: Person) -> None:
    await pages.add_account("mallory", phone="13544285664", password=PASSWORD)
    await app_session(pages)
    await alice.get(PAGE)
    target = id_of(alice)
    mallory = await log_in(pages, "mallory")
    csrf = (await mallory.get("/account/profile")).form("/account/profile").fields["csrf"]
    for session in (target, "nothing", ""):
        await mallory.post(f"{PAGE}/{act}", {"csrf": csrf, "session": session})
        assert mallory.page.said["alert"] == "This is not here any more."
    await alice.get(PAGE)
    assert id_of(alice) == target


async def test_without_a_fresh_proof_identity_is_asked_first(pages: Harness, alice: Person) -> None:
    phone = await app_session(pages)
    pages.clock.advance(FRESH_FOR)
    await alice.get(PAGE)
    for action in (f"{PAGE}/end", f"{PAGE}/disown"):
        await alice.press(action)
        assert alice.leads_to == "/account/prove?next=%2Faccount%2Fdevices"
    await alice.get(f"{PAGE}/others")
    await alice.press(f"{PAGE}/others")
    assert alice.leads_to == "/account/prove?next=%2Faccount%2Fdevices%2Fothers"
    assert await live(phone)


async def test_who_ends_the_own_session_is_logged_out(pages: Harness, alice: Person) -> None:
    csrf = (await alice.get("/account")).form("/logout").fields["csrf"]
    (session,) = await pages.store.read.sessions.list_of(1)
    await alice.post(f"{PAGE}/end", {"csrf": csrf, "session": session.session_id})
    assert alice.leads_to == "/login"
    assert "ms_session" not in alice.client.cookies


async def test_all_others_end_after_a_question_with_their_number(pages: Harness, alice: Person) -> None:
    first, second = await app_session(pages), await app_session(pages, device_name="iPad")
    page = await alice.get(PAGE)
    assert page.links[f"{PAGE}/others"] == "End all other logins (2)"
    page = await alice.get(f"{PAGE}/others")
    assert page.heading == "End all other logins (2)?"
    assert "Kevin's iPhone" in page.text
    assert (await live(first), await live(second)) == (True, True)
    await alice.press(f"{PAGE}/others")
    page = await alice.follow()
    assert page.said["status"] == "All other devices are logged out."
    assert (await live(first), await live(second)) == (False, False)
    await alice.get(f"{PAGE}/others")
    assert alice.leads_to == PAGE


async def test_that_was_not_me_ends_the_session_and_leads_to_a_new_password(pages: Harness, alice: Person) -> None:
    phone = await app_session(pages)
    await alice.get(PAGE)
    await alice.press(f"{PAGE}/disown")
    assert alice.leads_to == "/account/security#password"
    assert not await live(phone)


async def test_too_many_calls_are_refused_with_words(pages: Harness, alice: Person) -> None:
    for _ in range(pages.flows.policy.limits.session_calls_per_session):
        await alice.get(PAGE)
    page = await alice.get(PAGE)
    assert alice.answer.status_code == 200
    assert page.said["alert"].startswith("That was too often.")


async def test_names_of_clients_are_text(pages: Harness, alice: Person) -> None:
    await app_session(pages, device_name="<script>alert(1)</script>")
    await alice.get(PAGE)
    assert "<script>alert" not in alice.answer.text
    assert "End <script>alert(1)</script>" in alice.page.text


@pytest.mark.parametrize(
    ("methods", "said"),
    [
        ("", ""),
        ("pwd", "Password"),
        ("pwd otp", "Password + code"),
        ("otp", "E-mail code"),
        ("sms", "SMS code"),
        ("swk user", "Passkey"),
        ("hwk", "Passkey"),
        ("pwd trusted", "Password + trusted device"),
        ("qr", "QR code"),
        ("unheard of", ""),
    ],
)
def test_a_way_in_is_said_in_words(methods: str, said: str) -> None:
    assert way_of(Words("en"), methods) == said
