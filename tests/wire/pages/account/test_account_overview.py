"""The overview: who is logged in, what needs attention, and the login before."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from menshen.core.account.accounts import Account
from menshen.core.factors.outcomes import EnrolledFactor, FactorList
from menshen.core.pages.settings import PageSettings, Way
from menshen.core.time import DAY, HOUR, MINUTE, Instant
from menshen.wire.pages.calls.account.overview import due
from menshen.wire.pages.look.words import Words
from tests.harness import Harness
from tests.wire.pages.members import PASSWORD, PHONE, Person, log_in, open_pages


async def test_a_member_is_greeted_and_contacts_are_masked(alice: Person) -> None:
    page = await alice.get("/account")
    assert page.heading == "Hello, alice_1"
    assert "135****5663" in page.text
    assert "a***e@mail.example" in page.text
    assert PHONE not in alice.answer.text
    assert "alice@mail.example" not in alice.answer.text


async def test_a_name_that_nobody_chose_is_not_said(harness: Harness) -> None:
    await open_pages(harness)
    await harness.add_account("1313354987295739904", phone=PHONE, password=PASSWORD)
    page = await (await log_in(harness)).get("/account")
    assert page.heading == "Hello, 135****5663"


async def test_the_language_of_the_browser_is_spoken(alice: Person) -> None:
    await alice.get("/account?lang=zh-CN")
    assert alice.page.heading == "alice_1，你好"


async def test_a_first_login_has_none_before(alice: Person) -> None:
    assert "This is your first login." in (await alice.get("/account")).text


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        (0, "Just now"),
        (5 * MINUTE, "5 minutes ago"),
        (2 * HOUR, "2 hours ago"),
        (DAY - 1, "23 hours ago"),
        (DAY, "2100-01-01 00:00 UTC"),
    ],
)
async def test_the_login_before_is_told_with_time_and_network(passed: int, said: str, pages: Harness) -> None:
    await log_in(pages, ip="198.51.100.7")
    pages.clock.advance(passed)
    page = await (await log_in(pages, ip="203.0.113.9")).get("/account")
    assert "The login before this one" in page.text
    assert said in page.text
    assert "198.51.100.*" in page.text
    assert "203.0.113" not in page.text
    assert page.times == ["2100-01-01T00:00:00Z"]


async def test_a_later_login_elsewhere_is_the_latest(pages: Harness, alice: Person) -> None:
    pages.clock.advance(MINUTE)
    await log_in(pages, ip="198.51.100.7")
    page = await alice.get("/account")
    assert "Latest login" in page.text
    assert "198.51.100.*" in page.text


WHOLE = Account(
    1, "x", phone="+8613544285663", phone_verified=True, email="a@mail.example", email_verified=True, password_hash="$",
)  # fmt: skip
FACTORS = FactorList(True, (EnrolledFactor("totp", Instant(1)),), (), 9, (), ("totp",), required=False)


@pytest.mark.parametrize(
    ("account", "factors", "found"),
    [
        (WHOLE, FACTORS, []),
        (replace(WHOLE, password_hash=""), FACTORS, ["no_password"]),
        (replace(WHOLE, phone=None, email=None), FACTORS, ["no_contact"]),
        (replace(WHOLE, phone=None), FACTORS, []),
        (replace(WHOLE, phone_verified=False), FACTORS, ["phone_unverified"]),
        (replace(WHOLE, email_verified=False), FACTORS, ["email_unverified"]),
        (WHOLE, replace(FACTORS, factors=()), ["no_step"]),
        (WHOLE, replace(FACTORS, factors=(), allowed=()), []),
        (WHOLE, replace(FACTORS, second_step=False), ["step_off"]),
        (WHOLE, replace(FACTORS, second_step=False, required=True), []),
        (WHOLE, replace(FACTORS, codes_left=0), ["no_codes"]),
    ],
)
def test_what_needs_attention(account: Account, factors: FactorList, found: list[str]) -> None:
    assert [what for what, _ in due(PageSettings(), account, factors)] == found
    assert all(Words("en").has(f"account.{what}_lead") for what in found)


def test_where_nobody_uses_passwords_none_is_missed() -> None:
    assert not list(due(PageSettings(ways=(Way.SMS,)), replace(WHOLE, password_hash=""), FACTORS))


async def test_what_is_missing_is_named_with_where_to_mend_it(pages: Harness, alice: Person) -> None:
    page = await alice.get("/account")
    assert page.links["/account/security#step"]
    assert "There is no second step" in page.text
    assert "You have no password" not in page.text
    assert "not confirmed" not in page.text


async def test_an_unverified_address_needs_attention(harness: Harness) -> None:
    await open_pages(harness)
    await harness.add_account("bob_1234", phone=PHONE, email="bob@mail.example", password=PASSWORD, verified=False)
    page = await (await log_in(harness, "bob_1234")).get("/account")
    assert "Your phone number is not confirmed" in page.text
    assert "Your e-mail address is not confirmed" in page.text


async def test_an_app_without_factors_asks_for_none(pages: Harness, alice: Person) -> None:
    await pages.change_app(factors="")
    page = await alice.get("/account")
    assert "second step" not in page.text.split("All settings")[0]
    assert "Nothing for now." in page.text


async def test_too_many_looks_are_refused_with_words(pages: Harness, alice: Person) -> None:
    most = pages.flows.policy.limits.session_calls_per_session
    for _ in range(most):
        await alice.get("/account")
    page = await alice.get("/account")
    assert alice.answer.status_code == 200
    assert re.search("too often", page.said["alert"])
    assert page.heading == "Hello, alice_1"
