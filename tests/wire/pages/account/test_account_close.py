"""Closing: what it means, a proof in the form itself, a farewell, and the way back."""

from __future__ import annotations

import pytest

from menshen.core.account.accounts import Account, Status
from menshen.core.sessions.sessions import FRESH_FOR
from menshen.core.time import DAY, MINUTE
from tests.harness import Harness
from tests.wire.pages.members import PASSWORD, PHONE, Person, live, log_in, open_pages, stranger
from tests.wire.weidu.client import Client

PAGE = "/account/data/close"


async def stored(h: Harness) -> Account:
    found = await h.store.read.accounts.find(1)
    assert isinstance(found, Account)
    return found


async def test_days_of_grace_are_said_and_a_login_takes_it_back(pages: Harness, alice: Person) -> None:
    await open_pages(pages, closing_days=15)
    phone = Client(pages)
    await phone.log_in(PHONE, PASSWORD)
    page = await alice.get(PAGE)
    assert page.heading == "Close your account at Spruce Shop?"
    assert "Until 2100-01-16 you can take it back" in page.text
    assert page.form(PAGE).buttons[-1] == "Close my account at Spruce Shop"
    await alice.press(PAGE, password=PASSWORD, do="close")
    page = await alice.follow()
    assert page.heading == "Your account is closed"
    assert "log in before 2100-01-16" in page.text
    assert not await live(phone)
    await alice.get("/account")
    assert alice.leads_to.startswith("/login")
    pages.clock.advance(DAY)
    await log_in(pages)
    account = await stored(pages)
    assert (account.status, account.closes_at) == (Status.ACTIVE, 0)


async def test_without_days_the_account_is_gone_at_once(pages: Harness, alice: Person) -> None:
    page = await alice.get(PAGE)
    assert "at once and for good" in page.text
    assert "2100" not in page.text
    await alice.press(PAGE, password=PASSWORD, do="close")
    page = await alice.follow()
    assert "All of your data is deleted." in page.text
    account = await pages.store.read.accounts.find(1)
    assert account is None or account.status is Status.CLOSED


@pytest.mark.parametrize("typed", ["", "wrong wrong wrong", "x" * 2000])
async def test_a_wrong_password_closes_nothing(typed: str, pages: Harness, alice: Person) -> None:
    await alice.get(PAGE)
    await alice.press(PAGE, password=typed, do="close")
    assert alice.answer.status_code == 200
    assert alice.page.wrong == ["password"]
    assert alice.page.said["alert"].startswith("Wrong account or password.")
    assert alice.page.form(PAGE).fields["password"] == ""
    assert (await stored(pages)).status is Status.ACTIVE
    await alice.get("/account")
    assert alice.answer.status_code == 200


async def test_a_fresh_login_alone_closes_nothing(pages: Harness, alice: Person) -> None:
    csrf = (await alice.get(PAGE)).form(PAGE).fields["csrf"]
    for way in ("", "password", "code", "nothing"):
        await alice.post(PAGE, {"csrf": csrf, "way": way, "do": "close"})
        assert alice.answer.status_code == 200
    assert (await stored(pages)).status is Status.ACTIVE


async def _send_code(pages: Harness, alice: Person, **typed: str) -> str:
    """Ask for a code with a solved picture or test, as the form does, and return it."""
    challenge = (await alice.client.get("/login/challenge")).json()
    await alice.press(PAGE, do="send", solution=pages.solve(challenge), **typed)
    assert alice.leads_to == f"{PAGE}?way=code", alice.page.text
    await alice.follow()
    return (await pages.messages())[-1].code


async def test_a_code_closes_the_account(pages: Harness, alice: Person) -> None:
    page = await alice.get(f"{PAGE}?way=code")
    assert PHONE not in alice.answer.text
    assert "135****5663" in page.text
    code = await _send_code(pages, alice, to="1")
    assert (await pages.messages())[-1].to == "alice@mail.example"
    assert alice.page.form(PAGE).fields["to"] == "1"
    await alice.press(PAGE, code=code, do="next")
    page = await alice.follow()
    assert page.heading == "Your account is closed"


async def test_a_code_needs_a_captcha(pages: Harness, alice: Person) -> None:
    await alice.get(f"{PAGE}?way=code")
    await alice.press(PAGE, do="send")
    assert alice.answer.status_code == 200
    assert "robot" in alice.page.said["alert"]
    assert not await pages.messages()


async def test_a_wrong_code_closes_nothing(pages: Harness, alice: Person) -> None:
    await alice.get(f"{PAGE}?way=code")
    code = await _send_code(pages, alice)
    await alice.press(PAGE, code="000000" if code != "000000" else "111111", do="close")
    assert alice.page.wrong == ["code"]
    assert (await stored(pages)).status is Status.ACTIVE


async def test_enter_sends_a_code_first_and_closes_nothing(pages: Harness, alice: Person) -> None:
    await alice.get(f"{PAGE}?way=code")
    pages.clock.advance(MINUTE)
    challenge = (await alice.client.get("/login/challenge")).json()
    await alice.press(PAGE, do="next", solution=pages.solve(challenge))
    assert alice.leads_to == f"{PAGE}?way=code"
    assert len(await pages.messages()) == 1
    assert (await stored(pages)).status is Status.ACTIVE


async def test_an_account_with_a_second_step_proves_it_first(pages: Harness, alice: Person) -> None:
    await pages.store.write(lambda tx: tx.accounts.change_factors(1, now=pages.clock.now(), second_step=True))
    pages.clock.advance(FRESH_FOR)
    await alice.get(PAGE)
    await alice.press(PAGE, password=PASSWORD, do="close")
    assert alice.leads_to == "/account/prove?next=%2Faccount%2Fdata%2Fclose"
    assert (await stored(pages)).status is Status.ACTIVE


async def test_the_farewell_is_for_those_who_closed_an_account(pages: Harness, alice: Person) -> None:
    nobody = stranger(pages)
    await nobody.get("/account/closed")
    assert nobody.leads_to == "/login"
    await alice.get("/account/closed")
    assert alice.leads_to == "/account"
