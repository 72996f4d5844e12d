"""Closing with days of grace: its proofs, what ends at once, what a login takes back, and what the sweep deletes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from menshen.core.account.accounts import Status
from menshen.core.account.asks import Deletion
from menshen.core.audit.events import Tag
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.delivery.messages import Template
from menshen.core.login.outcomes import Granted
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.time import DAY, HOUR, NEVER, after
from menshen.flows.admin import accounts as admin_accounts
from menshen.flows.upkeep.sweep import CLOSE_BATCH, close_due, sweep
from tests.flows.account.calls import reset
from tests.flows.account.own.proofs import prove_nothing
from tests.flows.account.stepped import give_factors, kept, prove_factor, stepped
from tests.flows.site import EMAIL, NEW, PASSWORD, PHONE, WRONG, Site, code_of

PROOF_REQUIRED, WRONG_CREDENTIALS = Denied(ProblemCode.PROOF_REQUIRED), Denied(ProblemCode.WRONG_CREDENTIALS)


async def close(
    site: Site, who: Granted, days: int = 7, password: str | None = PASSWORD, code: str | None = None
) -> Any:
    return await site.flows.account.close(Deletion(password, code), days, await site.caller(who), site.origin())


async def swept(site: Site) -> None:
    """Close what is due. A whole sweep doubts a clock that jumps by days."""
    await close_due(store=site.store, now=site.clock.now())


async def closing(site: Site, days: int = 7) -> Granted:
    await site.kevin()
    mine = await site.login()
    assert await close(site, mine, days) == Done()
    return mine


async def test_all_that_is_open_ends_and_nothing_is_erased(each_site: Site) -> None:
    site = each_site
    account = await site.kevin()
    other, mine = await site.login(), await site.login()
    await give_factors(site, account)
    code = await site.code(EMAIL)
    mine = await site.login()
    before = len(await site.harness.messages())
    assert await close(site, mine, 30) == Done()
    assert await site.alive(other, mine) == [False, False]
    assert (await kept(site, account)).trusted == (await kept(site, account)).pending == 0
    found = await site.account(account)
    until = after(site.clock.now(), 30 * DAY)
    assert (found.closes_at, found.active, found.proved, found.username) == (until, True, (PHONE, EMAIL), "kevin")
    assert found.password_hash
    day = datetime.fromtimestamp(until / 1000, UTC).strftime("%Y-%m-%d")
    told = [(one.to, one.template, one.detail) for one in (await site.harness.messages())[before:]]
    assert told == [(PHONE, Template.ACCOUNT_CLOSING, day), (EMAIL, Template.ACCOUNT_CLOSING, day)]
    (event,) = await site.events(account, Tag.ACCOUNT_CLOSING)
    assert (event.reason, event.ip) == ("password", site.origin().ip)
    ended = await site.events(account, Tag.SESSION_ENDED)
    assert {one.reason for one in ended} == {"account_closing"}
    # A code that was sent before is no login of afterwards.
    assert await site.try_code(code, EMAIL) == Denied(ProblemCode.WRONG_CODE)


async def test_no_days_delete_at_once_and_too_many_are_refused(site: Site) -> None:
    await site.kevin()
    mine = await site.login()
    for days in (-1, 31, 10**9):
        assert await close(site, mine, days) == Denied(ProblemCode.INVALID_REQUEST)
    assert await close(site, mine, 0) == Done()
    assert (await site.account(mine)).status is Status.CLOSED
    assert [tag for tag in await site.tags(mine.account) if tag is Tag.ACCOUNT_CLOSING] == []


async def test_the_sweep_deletes_it_when_the_days_are_over(each_site: Site) -> None:
    site = each_site
    mine = await closing(site)
    await site.harness.add_account("other7", password=PASSWORD)
    site.clock.advance(7 * DAY - 1)
    await swept(site)
    assert (await site.account(mine)).active
    site.clock.advance(1)
    await swept(site)
    closed = await site.account(mine)
    assert (closed.status, closed.closes_at, closed.proved, closed.username) == (Status.CLOSED, NEVER, (), None)
    (event,) = await site.events(mine.account, Tag.ACCOUNT_CLOSED)
    assert (event.reason, event.source, event.ip) == ("grace_over", "", "")
    assert await site.try_password() == WRONG_CREDENTIALS
    assert (await site.login("other7")).account.active


async def test_each_sweep_does_it_and_none_by_a_clock_that_jumped(site: Site) -> None:
    account, other = await site.kevin(), await site.harness.add_account("other7")
    world, now = site.harness.assembled.world, site.clock.now()
    await site.store.write(lambda tx: tx.accounts.set_closing(account.number, now, now=now))
    await site.store.write(lambda tx: tx.accounts.set_closing(other.number, after(now, 7 * DAY), now=now))
    await sweep(store=site.store, world=world, audit_days=180)
    assert (await site.account(account)).status is Status.CLOSED
    site.clock.advance(7 * DAY)
    await sweep(store=site.store, world=world, audit_days=180)
    assert (await site.account(other)).active


async def test_of_many_nodes_that_sweep_one_deletes(each_site: Site) -> None:
    site = each_site
    mine = await closing(site)
    site.clock.advance(7 * DAY)
    at = site.clock.now()
    got = await asyncio.gather(*(close_due(store=site.store, now=at) for _ in range(8)))
    assert sorted(got) == [0] * 7 + [1]
    assert len(await site.events(mine.account, Tag.ACCOUNT_CLOSED)) == 1


async def test_so_many_are_deleted_in_one_sweep(site: Site) -> None:
    numbers = []
    for n in range(CLOSE_BATCH + 2):
        account = await site.harness.add_account(f"leaver{n}")
        numbers.append(account.number)
        until = site.clock.now()
        await site.store.write(
            lambda tx, number=account.number, until=until: tx.accounts.set_closing(number, until, now=until)
        )
    at = site.clock.now()
    assert [await close_due(store=site.store, now=at) for _ in range(3)] == [CLOSE_BATCH, 2, 0]


@pytest.mark.attack("AD-11")
async def test_a_login_takes_it_back_by_any_way(each_site: Site) -> None:
    site = each_site
    mine = await closing(site)
    site.clock.advance(HOUR)
    before = len(await site.harness.messages())
    again = await site.login()
    assert again.account == await site.account(mine)
    assert again.account.closes_at == NEVER
    told = [(one.to, one.template) for one in (await site.harness.messages())[before:]]
    assert told == [(PHONE, Template.CLOSING_TAKEN_BACK), (EMAIL, Template.CLOSING_TAKEN_BACK)]
    assert len(await site.events(mine.account, Tag.CLOSING_TAKEN_BACK)) == 1
    site.clock.advance(30 * DAY)
    await swept(site)
    assert (await site.account(mine)).active
    # By a code, too.
    assert await close(site, await site.login()) == Done()
    assert (await site.login_code(EMAIL)).account.closes_at == NEVER
    # A login of an account that closes not takes nothing back.
    await site.login()
    assert len(await site.events(mine.account, Tag.CLOSING_TAKEN_BACK)) == 2


async def test_a_login_before_the_sweep_is_soon_enough(site: Site) -> None:
    mine = await closing(site)
    site.clock.advance(8 * DAY)
    assert (await site.login()).account.closes_at == NEVER
    await swept(site)
    assert (await site.account(mine)).active


@pytest.mark.attack("AD-11")
async def test_what_is_no_login_takes_nothing_back(site: Site) -> None:
    mine = await closing(site)
    await site.fail(1)
    assert await reset(site, await site.code(PHONE, Purpose.RESET)) == Done()
    await site.ask_code(PHONE, origin=site.elsewhere())
    await site.flows.login.refresh(mine.token, "", site.origin())
    assert (await site.account(mine)).closes_at != NEVER
    assert Tag.CLOSING_TAKEN_BACK not in await site.tags(mine.account)
    assert (await site.login(password=NEW)).account.closes_at == NEVER


@pytest.mark.attack("AD-11", "MF-2")
async def test_one_proof_of_two_takes_nothing_back(site: Site) -> None:
    account, mine = await stepped(site)
    await prove_factor(site, mine)
    assert await close(site, mine) == Done()
    waiting = await site.try_password()
    assert not isinstance(waiting, Granted | Denied)
    assert (await site.account(account)).closes_at != NEVER


@pytest.mark.attack("AD-11")
async def test_closings_that_race_logins_end_in_one_order_or_the_other(each_site: Site) -> None:
    site = each_site
    await site.kevin()
    for _ in range(4):
        mine = await site.login()
        got = await asyncio.gather(close(site, mine), *(site.try_password() for _ in range(3)))
        assert got[0] == Done()
        logins = [one for one in got[1:] if isinstance(one, Granted)]
        alive = await site.alive(*logins)
        # Who came behind the closing took it back, and is logged in; who came before was logged out by it.
        assert ((await site.account(mine)).closes_at == NEVER) == any(alive)


@pytest.mark.attack("AD-11")
async def test_the_sweep_and_a_login_agree(each_site: Site) -> None:
    site = each_site
    mine = await closing(site)
    site.clock.advance(7 * DAY)
    at = site.clock.now()
    got = await asyncio.gather(
        close_due(store=site.store, now=at), site.try_password(), close_due(store=site.store, now=at)
    )
    stays = (await site.account(mine)).active
    assert stays == isinstance(got[1], Granted)
    assert got[0] + got[2] == (0 if stays else 1)
    if not stays:
        assert got[1] == WRONG_CREDENTIALS


@pytest.mark.attack("AD-9", "AD-11")
async def test_it_needs_the_proofs_of_a_deletion(site: Site) -> None:
    await site.kevin()
    mine = await site.login()
    assert await close(site, mine, password=None) == PROOF_REQUIRED
    assert await close(site, mine, password=WRONG) == WRONG_CREDENTIALS
    assert await close(site, mine, password=None, code="000000") == Denied(ProblemCode.WRONG_CODE)
    assert (await site.account(mine)).closes_at == NEVER
    code = await site.code(PHONE, Purpose.PROOF)
    assert await close(site, mine, password=None, code=code) == Done()
    (event,) = await site.events(mine.account, Tag.ACCOUNT_CLOSING)
    assert event.reason == "code"


@pytest.mark.attack("AD-11", "MF-4")
async def test_with_a_second_step_it_needs_a_factor_and_a_session_by_qr_has_none(site: Site) -> None:
    _, mine = await stepped(site)
    assert await close(site, mine) == PROOF_REQUIRED
    await prove_nothing(site, mine)
    assert await close(site, mine) == PROOF_REQUIRED
    await prove_factor(site, mine)
    assert await close(site, mine) == Done()


async def test_of_two_closings_at_once_one_counts(each_site: Site) -> None:
    site = each_site
    await site.kevin()
    one, two = await site.caller(await site.login()), await site.caller(await site.login())
    got = await asyncio.gather(
        *(site.flows.account.close(Deletion(PASSWORD), 7, who, site.origin()) for who in (one, two)),
        return_exceptions=True,
    )
    (refused,) = [each for each in got if each != Done()]
    assert isinstance(refused, Problem)
    assert refused.denied.code is ProblemCode.UNAUTHENTICATED
    assert len(await site.events(tag=Tag.ACCOUNT_CLOSING)) == 1


async def test_its_names_stay_taken_and_operators_see_the_day(site: Site) -> None:
    mine = await closing(site)
    found = await admin_accounts.find_account("kevin", store=site.store)
    assert not isinstance(found, Denied)
    assert found.closes_at == after(site.clock.now(), 7 * DAY)
    told = await admin_accounts.export_account("kevin", store=site.store, world=site.clock)
    assert not isinstance(told, Denied)
    assert told.account.closes_at == found.closes_at
    # An operator who deletes it does so now, and a disabled one goes when its day has come.
    assert not isinstance(await admin_accounts.disable_account("kevin", store=site.store, world=site.clock), Denied)
    assert code_of(await site.try_password()) in {ProblemCode.WRONG_CREDENTIALS, ProblemCode.ACCOUNT_DISABLED}
    site.clock.advance(7 * DAY)
    await swept(site)
    assert (await site.account(mine)).status is Status.CLOSED
