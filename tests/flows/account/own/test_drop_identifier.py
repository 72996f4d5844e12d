"""Removing a phone or email: what has to be proved, what has to stay, and what ends by it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from menshen.core.account.asks import Edited
from menshen.core.apps import SecondFactorRule
from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import Template
from menshen.core.identifiers import Identifier, Kind
from menshen.core.login.outcomes import Granted
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.time import MINUTE
from menshen.testing.store_contract.records import NOW, newcomer
from tests.flows.account.own.proofs import prove_nothing
from tests.flows.account.stepped import give_factors, kept, prove_factor, stepped
from tests.flows.site import EMAIL, PHONE, Site, waits

PROOF_REQUIRED, FORBIDDEN = Denied(ProblemCode.PROOF_REQUIRED), ProblemCode.FORBIDDEN


async def drop(site: Site, who: Granted, kind: Kind) -> Any:
    return await site.flows.account.drop(kind, await site.caller(who), site.origin())


@pytest.mark.parametrize(("kind", "left"), [(Kind.PHONE, EMAIL), (Kind.EMAIL, PHONE)])
async def test_the_other_one_stays_and_both_get_a_notice(each_site: Site, kind: Kind, left: str) -> None:
    site = each_site
    account = await site.kevin()
    gone = PHONE if kind is Kind.PHONE else EMAIL
    code = await site.code(gone)
    other, mine = await site.login(), await site.login()
    await give_factors(site, account)
    before = len(await site.harness.messages())
    got = await drop(site, mine, kind)
    assert isinstance(got, Edited)
    assert got.account.proved == (left,)
    assert got.account == await site.account(account)
    assert await site.alive(other, mine) == [False, True]
    assert (await kept(site, account)).trusted == 0
    told = [(one.to, one.template, one.detail) for one in (await site.harness.messages())[before:]]
    masked = told[0][2]
    assert told == [(PHONE, Template.IDENTIFIER_REMOVED, masked), (EMAIL, Template.IDENTIFIER_REMOVED, masked)]
    assert "*" in masked
    (event,) = await site.events(account, Tag.IDENTIFIER_REMOVED)
    assert (event.reason, event.subject) == (kind.value, masked)
    # What was begun by it is over.
    assert await site.try_code(code, gone) == Denied(ProblemCode.WRONG_CODE)
    # It is free for its next owner.
    assert await site.store.read.accounts.find_claims(Identifier(kind, gone)) == []


@pytest.mark.attack("AD-10")
async def test_the_last_proved_one_stays_whatever_else_there_is(site: Site) -> None:
    # CareyShop's registration and imports leave an email that nothing proved.
    half = newcomer("owner7", phone=PHONE, phone_verified=True, email=EMAIL)
    await site.store.write(lambda tx: tx.accounts.add(half))
    mine = await site.login_code(PHONE)
    for _ in range(2):
        assert await drop(site, mine, Kind.PHONE) == Denied(FORBIDDEN, field="phone")
    # A claim that nothing proved may go, and there is none of it then.
    assert isinstance(await drop(site, mine, Kind.EMAIL), Edited)
    assert await drop(site, mine, Kind.EMAIL) == Denied(ProblemCode.NOT_FOUND)
    assert await drop(site, mine, Kind.USERNAME) == Denied(ProblemCode.NOT_FOUND)
    assert (await site.account(mine)).proved == (PHONE,)


@pytest.mark.attack("AD-10")
async def test_of_two_at_once_one_identifier_stays(each_site: Site) -> None:
    site = each_site
    await site.kevin()
    mine = await site.login()
    got = await asyncio.gather(*(drop(site, mine, kind) for kind in (Kind.PHONE, Kind.EMAIL) * 5))
    assert sum(isinstance(one, Edited) for one in got) == 1
    assert len((await site.account(mine)).proved) == 1


@pytest.mark.attack("AD-10")
async def test_an_old_session_and_one_by_qr_may_not(site: Site) -> None:
    await site.kevin()
    mine = await site.login()
    site.clock.advance(10 * MINUTE)
    assert await drop(site, mine, Kind.PHONE) == PROOF_REQUIRED
    again = await site.login()
    await prove_nothing(site, again)
    assert await drop(site, again, Kind.PHONE) == PROOF_REQUIRED
    assert (await site.account(mine)).proved == (PHONE, EMAIL)


@pytest.mark.attack("AD-10", "MF-4")
async def test_where_two_proofs_are_asked_a_factor_proves_it(site: Site) -> None:
    account, mine = await stepped(site)
    assert await drop(site, mine, Kind.PHONE) == PROOF_REQUIRED
    await prove_factor(site, mine)
    assert isinstance(await drop(site, mine, Kind.PHONE), Edited)
    assert (await site.account(account)).proved == (EMAIL,)


@pytest.mark.attack("AD-10", "MF-4")
async def test_a_laxer_app_is_no_way_around_the_strictest(site: Site) -> None:
    account = await site.kevin()
    mine = await site.login()
    await give_factors(site, account)
    await site.harness.add_app("strict", host="strict.example", second_factor=SecondFactorRule.REQUIRED)
    assert await drop(site, mine, Kind.PHONE) == PROOF_REQUIRED


async def test_it_is_counted_with_binds_of_the_session_after_the_proof(site: Site) -> None:
    await site.kevin()
    mine = await site.login()
    for _ in range(site.flows.policy.limits.binds_per_account):
        assert isinstance(await drop(site, mine, Kind.PHONE), Edited)
        await site.store.write(lambda tx: tx.accounts.set_identifier(mine.account.number, Kind.PHONE, PHONE, now=NOW))
    assert waits(await drop(site, mine, Kind.PHONE))


async def test_a_session_that_ended_changes_nothing(site: Site) -> None:
    await site.kevin()
    caller = await site.caller(mine := await site.login())
    await site.flows.sessions.log_out(caller, site.origin())
    with pytest.raises(Problem) as refused:
        await site.flows.account.drop(Kind.PHONE, caller, site.origin())
    assert refused.value.denied.code is ProblemCode.UNAUTHENTICATED
    assert (await site.account(mine)).proved == (PHONE, EMAIL)
