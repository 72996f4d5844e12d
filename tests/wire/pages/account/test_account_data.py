"""The data of an account: a copy for its owner alone."""

from __future__ import annotations

import json

import pytest

from menshen.core.account.export_tickets import LIFETIME, MOST_FETCHES
from menshen.core.sessions.sessions import FRESH_FOR
from tests.harness import Harness
from tests.wire.pages.members import PASSWORD, PHONE, Person, log_in, open_pages

PAGE = "/account/data"


async def order(person: Person) -> str:
    """Order a copy, and return where it can be fetched."""
    await person.get(PAGE)
    await person.press(f"{PAGE}/export")
    page = await person.follow()
    assert page.said["status"] == "Your copy is ready. It can be fetched for 24 hours."
    return next(link for link in page.links if link.startswith(f"{PAGE}/export/"))


async def test_a_copy_is_ordered_and_fetched_as_a_file(pages: Harness, alice: Person) -> None:
    path = await order(alice)
    await alice.get(path)
    answer = alice.answer
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="account-2100-01-01.json"'
    assert answer.headers["cache-control"] == "no-store"
    told = json.loads(answer.content)
    assert (told["account"]["username"], told["account"]["phone"]) == ("alice_1", f"+86{PHONE}")
    account = await pages.store.read.accounts.find(1)
    assert account.password_hash not in answer.text


async def test_a_copy_ends(pages: Harness, alice: Person) -> None:
    path = await order(alice)
    for _ in range(MOST_FETCHES):
        await alice.get(path)
        assert alice.answer.status_code == 200
    page = await alice.get(path)
    assert page.said["alert"] == "This is not here any more."
    path = await order(alice)
    pages.clock.advance(LIFETIME)
    page = await (alice := await log_in(pages)).get(PAGE)
    assert path not in page.links
    page = await alice.get(path)
    assert page.said["alert"] == "This is not here any more."


@pytest.mark.parametrize("ticket", ["", "x", "z" * 80])
async def test_what_is_no_ticket_opens_nothing(ticket: str, alice: Person) -> None:
    page = await alice.get(f"{PAGE}/export/{ticket}")
    assert "content-disposition" not in alice.answer.headers
    assert page.heading


async def test_the_copy_of_another_account_is_not_found(pages: Harness, alice: Person) -> None:
    path = await order(alice)
    await pages.add_account("mallory", phone="13544285664", password=PASSWORD)
    mallory = await log_in(pages, "mallory")
    assert path not in (await mallory.get(PAGE)).links
    page = await mallory.get(path)
    assert page.said["alert"] == "This is not here any more."
    assert "alice" not in mallory.answer.text


async def test_without_a_fresh_proof_identity_is_asked_first(pages: Harness, alice: Person) -> None:
    pages.clock.advance(FRESH_FOR)
    await alice.get(PAGE)
    await alice.press(f"{PAGE}/export")
    assert alice.leads_to == "/account/prove?next=%2Faccount%2Fdata"


@pytest.mark.parametrize(("days", "said"), [(0, "cannot be taken back"), (15, "take it back for 15 days")])
async def test_closing_is_offered_with_what_it_means(days: int, said: str, pages: Harness, alice: Person) -> None:
    await open_pages(pages, closing_days=days)
    page = await alice.get(PAGE)
    assert said in page.text
    assert page.links[f"{PAGE}/close"] == "Close your account"
