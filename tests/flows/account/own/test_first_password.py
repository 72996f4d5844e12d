"""The first password of an account: only by a fresh proof of ours, by the whole policy, and once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import Template
from menshen.core.login.outcomes import Granted
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import MINUTE
from tests.flows.account.own.proofs import prove_nothing
from tests.flows.account.stepped import ask_two, give_factors, prove_factor
from tests.flows.site import EMAIL, NEW, PHONE, Site, code_of

PROOF_REQUIRED, FORBIDDEN = Denied(ProblemCode.PROOF_REQUIRED), Denied(ProblemCode.FORBIDDEN)


async def set_password(site: Site, who: Granted, password: str = NEW) -> Any:
    return await site.flows.account.set_password(password, await site.caller(who), site.origin())


async def without(site: Site) -> Granted:
    """Log in by a code: the account has no password."""
    await site.harness.add_account("kevin", PHONE, EMAIL)
    return await site.login_code()


async def test_it_works_at_once_and_ends_the_other_sessions(each_site: Site) -> None:
    site = each_site
    other = await without(site)
    mine = await site.login_code()
    before = len(await site.harness.messages())
    assert await set_password(site, mine) == Done()
    assert await site.alive(other, mine) == [False, True]
    assert (await site.login("kevin", NEW)).account.number == mine.account.number
    told = [(one.to, one.template) for one in (await site.harness.messages())[before:]]
    assert told == [(PHONE, Template.PASSWORD_CHANGED), (EMAIL, Template.PASSWORD_CHANGED)]
    (event,) = await site.events(mine.account, Tag.PASSWORD_CHANGED)
    assert (event.reason, event.session_id) == ("first", mine.session.session_id)


@pytest.mark.attack("AD-10")
async def test_an_account_with_a_password_keeps_it(site: Site) -> None:
    await site.kevin()
    mine = await site.login()
    assert await set_password(site, mine) == FORBIDDEN
    assert (await site.login()).account.number == mine.account.number


@pytest.mark.attack("AD-10")
async def test_of_two_at_once_one_sets_it(each_site: Site) -> None:
    site = each_site
    mine = await without(site)
    words = [f"battery staple {n}" for n in range(4)]
    got = await asyncio.gather(*(set_password(site, mine, word) for word in words))
    assert sorted(map(str, got)) == sorted(map(str, [Done(), *[FORBIDDEN] * 3]))
    assert (await site.login("kevin", words[got.index(Done())])).account.number == mine.account.number


@pytest.mark.attack("AD-10")
async def test_an_old_session_and_one_by_qr_may_not(site: Site) -> None:
    mine = await without(site)
    site.clock.advance(10 * MINUTE)
    assert await set_password(site, mine) == PROOF_REQUIRED
    again = await site.login_code()
    await prove_nothing(site, again)
    assert await set_password(site, again) == PROOF_REQUIRED
    assert (await site.account(mine)).password_hash == ""


@pytest.mark.attack("AD-10", "MF-4")
async def test_an_account_with_a_second_step_proves_it_by_a_factor(site: Site) -> None:
    mine = await without(site)
    await give_factors(site, await site.account(mine))
    await ask_two(site, mine.account)
    assert await set_password(site, mine) == PROOF_REQUIRED
    await prove_factor(site, mine)
    assert await set_password(site, mine) == Done()


@pytest.mark.parametrize("weak", ["short", "password", "kevinkevin", "13544285662", "x" * 2000, PHONE])
async def test_the_whole_policy_holds_and_costs_no_hash(site: Site, weak: str) -> None:
    counted, calls = site.counting_hashes()
    mine = await without(site)
    assert code_of(await set_password(counted, mine, weak)) is ProblemCode.WEAK_PASSWORD
    assert calls == []
    assert (await site.account(mine)).password_hash == ""
