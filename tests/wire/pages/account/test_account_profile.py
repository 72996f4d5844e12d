"""The profile: what differs is changed, all or nothing, and a refusal stands beside its field."""

from __future__ import annotations

from dataclasses import replace

import pytest

from menshen.core.account.accounts import Account, Gender, Profile
from tests.harness import Harness
from tests.wire.pages.members import PHONE, Person

PAGE = "/account/profile"
TYPED = {
    "nickname": "阿丽",
    "username": "Alice_2",
    "gender": "2",
    "birthday": "1990-05-21",
    "city": "深圳",
    "description": "first line\r\nsecond <b>line</b>",
}


async def stored(h: Harness) -> Account:
    found = await h.store.read.accounts.find(1)
    assert isinstance(found, Account)
    return found


async def test_a_profile_is_changed_and_shown_again(pages: Harness, alice: Person) -> None:
    page = await alice.get(PAGE)
    assert {name: page.form(PAGE).fields[name] for name in TYPED} == dict.fromkeys(TYPED, "") | {
        "username": "alice_1",
        "gender": "0",
    }
    await alice.press(PAGE, **TYPED)
    page = await alice.follow()
    assert page.said["status"] == "Your profile is saved."
    kept = {name: page.form(PAGE).fields[name] for name in TYPED}
    assert kept == TYPED | {"description": "first line\nsecond <b>line</b>"}
    account = await stored(pages)
    assert account.username == "alice_2"
    assert account.profile == Profile(
        nickname="阿丽",
        gender=Gender.FEMALE,
        birthday="1990-05-21",
        city="深圳",
        description="first line\nsecond <b>line</b>",
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("nickname", "x" * 51),
        ("nickname", "x" * 9000),
        ("nickname", "a\u202eb"),
        ("username", "abc"),
        ("username", ""),
        ("username", "13544285663"),
        ("username", "x" * 5000),
        ("gender", "3"),
        ("gender", ""),
        ("gender", "٢"),
        ("birthday", "1990-02-30"),
        ("birthday", "yesterday"),
        ("city", "x" * 65),
        ("description", "x" * 1001),
    ],
)
async def test_a_refusal_stands_beside_its_field(name: str, text: str, pages: Harness, alice: Person) -> None:
    before = await stored(pages)
    await alice.get(PAGE)
    await alice.press(PAGE, **TYPED | {"username": "alice_1", name: text})
    assert alice.answer.status_code == 200
    assert alice.page.wrong == [name]
    assert alice.page.said["alert"].endswith(".")
    assert alice.answer.text.count('id="say"') == 1
    shown = alice.page.form(PAGE).fields
    assert shown["city"] == text if name == "city" else TYPED["city"]
    assert await stored(pages) == before


async def test_a_taken_username_is_refused(pages: Harness, alice: Person) -> None:
    await pages.add_account("bob_1234")
    await alice.get(PAGE)
    await alice.press(PAGE, username="Bob_1234", nickname="Alice")
    assert alice.page.wrong == ["username"]
    assert alice.page.said["alert"] == "This username is taken. Please choose another one."
    assert alice.page.form(PAGE).fields["nickname"] == "Alice"
    assert (await stored(pages)).profile.nickname == ""


async def test_what_was_not_changed_is_not_judged(pages: Harness, alice: Person) -> None:
    old = replace((await stored(pages)).profile, city="x" * 80, avatar_url="http://a.example/me")
    fields = {"city": old.city, "avatar_url": old.avatar_url}
    await pages.store.write(lambda tx: tx.accounts.set_profile(1, fields, now=pages.clock.now()))
    await alice.get(PAGE)
    assert "http://a.example/me" in alice.page.links
    await alice.press(PAGE, nickname="Alice")
    assert alice.leads_to == PAGE
    assert (await stored(pages)).profile == replace(old, nickname="Alice")


async def test_a_form_with_less_leaves_the_rest(pages: Harness, alice: Person) -> None:
    csrf = (await alice.get(PAGE)).form(PAGE).fields["csrf"]
    await alice.post(PAGE, {"csrf": csrf, "city": "Oslo"})
    assert alice.leads_to == PAGE
    account = await stored(pages)
    assert (account.profile.city, account.username, account.phone) == ("Oslo", "alice_1", f"+86{PHONE}")


async def test_fields_that_only_the_server_sets_are_not_read(pages: Harness, alice: Person) -> None:
    csrf = (await alice.get(PAGE)).form(PAGE).fields["csrf"]
    await alice.post(PAGE, {"csrf": csrf, "real_name_verified": "1", "roles": "admin", "avatar_url": "//x.example/y"})
    account = await stored(pages)
    assert (account.profile, account.roles) == (Profile(), "general_user")


async def test_too_many_changes_are_refused_above_the_form(pages: Harness, alice: Person) -> None:
    await alice.get(PAGE)
    for number in range(pages.flows.policy.limits.edits_per_account):
        await alice.press(PAGE, city=f"town {number}")
    await alice.press(PAGE, city="one more")
    assert alice.answer.status_code == 200
    assert alice.page.said["alert"].startswith("That was too often.")
    assert not alice.page.wrong
