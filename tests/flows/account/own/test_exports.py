"""Ordered exports: a day, five fetches, by the account's own people, with what is kept at that moment."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from menshen.core.account.export_tickets import LIFETIME, MOST_FETCHES, ExportTicket
from menshen.core.audit.events import Tag
from menshen.core.audit.export import Export
from menshen.core.login.outcomes import Granted
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import DAY, MINUTE, after
from tests.flows.account.calls import delete, edit
from tests.flows.account.own.proofs import prove_nothing
from tests.flows.account.stepped import prove_factor, stepped
from tests.flows.site import PASSWORD, Site, waits

NOT_FOUND, PROOF_REQUIRED = Denied(ProblemCode.NOT_FOUND), Denied(ProblemCode.PROOF_REQUIRED)


async def order(site: Site, who: Granted) -> Any:
    return await site.flows.account.order_export(await site.caller(who), site.origin())


async def ordered(site: Site, who: Granted) -> ExportTicket:
    got = await order(site, who)
    assert isinstance(got, ExportTicket), got
    return got


async def fetch(site: Site, who: Granted, ticket: str) -> Any:
    return await site.flows.account.fetch_export(ticket, await site.caller(who), site.origin())


async def live(site: Site, who: Granted) -> Any:
    return await site.flows.account.exports(await site.caller(who), site.origin())


async def test_it_is_collected_when_it_is_fetched(each_site: Site) -> None:
    site = each_site
    account = await site.kevin()
    mine = await site.login()
    ticket = await ordered(site, mine)
    assert ticket == ExportTicket(ticket.id, after(site.clock.now(), DAY), site.clock.now())
    assert await live(site, mine) == [ticket]
    site.clock.advance(11 * MINUTE)
    await edit(site, mine, nickname="小王")
    got = await fetch(site, mine, ticket.id)
    assert isinstance(got, Export)
    assert (got.account.number, got.profile.nickname, got.exported_at) == (account.number, "小王", site.clock.now())
    assert await live(site, mine) == [replace(ticket, fetches=1)]
    tags = [event.tag for event in await site.events(account)]
    assert tags[-3:] == [Tag.EXPORT_ORDERED, Tag.PROFILE_CHANGED, Tag.ACCOUNT_EXPORTED]


async def test_it_can_be_fetched_five_times_whoever_races(each_site: Site) -> None:
    site = each_site
    await site.kevin()
    mine = await site.login()
    ticket = await ordered(site, mine)
    got = await asyncio.gather(*(fetch(site, mine, ticket.id) for _ in range(12)))
    assert sum(isinstance(one, Export) for one in got) == MOST_FETCHES
    assert [one for one in got if not isinstance(one, Export)] == [NOT_FOUND] * (12 - MOST_FETCHES)
    assert await live(site, mine) == []
    assert len(await site.events(mine.account, Tag.ACCOUNT_EXPORTED)) == MOST_FETCHES


async def test_it_ends_after_a_day_with_an_epoch_and_with_the_account(site: Site) -> None:
    await site.kevin()
    mine = await site.login()
    first = await ordered(site, mine)
    site.clock.advance(LIFETIME - 1)
    assert isinstance(await fetch(site, mine, first.id), Export)
    site.clock.advance(1)
    assert await fetch(site, mine, first.id) == NOT_FOUND
    mine = await site.login()
    second = await ordered(site, mine)
    await site.store.write(lambda tx: tx.upkeep.raise_epoch(site.clock.now()))
    mine = await site.login()
    assert await fetch(site, mine, second.id) == NOT_FOUND
    await ordered(site, mine)
    assert await delete(site, mine) == Done()
    assert await site.store.write(lambda tx: tx.export_tickets.remove_all(mine.account.number)) == 0


@pytest.mark.attack("AD-13")
async def test_a_ticket_of_another_account_is_not_found(site: Site) -> None:
    await site.kevin()
    await site.harness.add_account("other7", password=PASSWORD)
    mine, theirs = await site.login(), await site.login("other7")
    ticket = await ordered(site, mine)
    for unknown in (ticket.id, "", "x" * 26, ticket.id.upper(), f"{ticket.id} ", "\ud800", "\0" * 26):
        assert await fetch(site, theirs, unknown) == NOT_FOUND
    assert await live(site, theirs) == []
    # None of that was counted against its owner.
    for _ in range(MOST_FETCHES):
        assert isinstance(await fetch(site, mine, ticket.id), Export)


@pytest.mark.attack("AD-13")
async def test_an_old_session_orders_nothing_and_one_by_qr_fetches_nothing(site: Site) -> None:
    await site.kevin()
    mine = await site.login()
    ticket = await ordered(site, mine)
    by_qr = await site.login()
    await prove_nothing(site, by_qr)
    assert await order(site, by_qr) == PROOF_REQUIRED
    assert await fetch(site, by_qr, ticket.id) == PROOF_REQUIRED
    site.clock.advance(10 * MINUTE)
    assert await order(site, mine) == PROOF_REQUIRED
    assert isinstance(await fetch(site, mine, ticket.id), Export)


@pytest.mark.attack("AD-13", "MF-4")
async def test_an_account_with_a_second_step_proves_it_by_a_factor(site: Site) -> None:
    _, mine = await stepped(site)
    assert await order(site, mine) == PROOF_REQUIRED
    assert await fetch(site, mine, "any") == PROOF_REQUIRED
    await prove_factor(site, mine)
    ticket = await ordered(site, mine)
    assert isinstance(await fetch(site, mine, ticket.id), Export)


async def test_orders_are_counted_with_exports(site: Site) -> None:
    await site.kevin()
    mine = await site.login()
    for _ in range(site.flows.policy.limits.exports_per_account):
        await ordered(site, mine)
    assert waits(await order(site, mine))
    assert waits(await site.flows.account.export(await site.caller(mine), site.origin()))
