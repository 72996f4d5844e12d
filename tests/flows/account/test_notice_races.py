"""Fifty changes at once, on two nodes of each store: budgets are exact, and no two transactions block each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from menshen.core.account.asks import Deletion
from menshen.core.audit.events import Tag
from menshen.core.codes.asks import CodeSent
from menshen.core.delivery.messages import Channel, Template
from menshen.core.gates.limits import Tally
from menshen.core.outcomes import Done
from menshen.flows.account.notices import notify
from tests.flows.site import EMAIL, PASSWORD, PHONE, Site, open_site
from tests.substitutes import Substitute

CROWD = 50
NOTICES = [Template.IDENTIFIER_CHANGED, Template.PASSWORD_CHANGED, Template.ACCOUNT_DELETED]

OpenTwo = Callable[..., Any]


@pytest.fixture(params=["sqlite", "postgresql"])
def open_two(request: pytest.FixtureRequest, folder: Path) -> OpenTwo:
    """Opens two nodes on one database, with limits of the test."""
    environ = {"MENSHEN_SERVER__WORKERS": "2"}
    if request.param == "postgresql":
        environ = {"MENSHEN_STORAGE__URL": request.getfixturevalue("emptied_url")}

    @asynccontextmanager
    async def opened(**limits: Any) -> AsyncIterator[list[Site]]:
        async with AsyncExitStack() as stack:
            one = await stack.enter_async_context(open_site(folder, environ, None, **limits))
            yield [one, await stack.enter_async_context(open_site(folder, environ, one.clock, **limits))]

    return opened


def store_of(site: Site, repeats: list[int]) -> Any:
    """Give a node's store, noting each transaction that its database ended and began again, as in a deadlock."""

    async def write(work: Any) -> Any:
        turns = 0

        async def counted(tx: Any) -> Any:
            nonlocal turns
            turns += 1
            return await work(tx)

        try:
            return await site.store.write(counted)
        finally:
            if turns > 1:
                repeats.append(turns)

    return Substitute(site.store, write=write)


def counting(site: Site, repeats: list[int]) -> Site:
    """Give the same node over such a store."""
    return site.over(store=store_of(site, repeats))


async def owners(site: Site) -> list[Any]:
    """Sessions of people with a phone and an address each."""
    for n in range(CROWD):
        await site.harness.add_account(f"owner{n}", f"+8613900{n:06d}", f"owner{n}@b.example", PASSWORD)
    return [await site.caller(await site.login(f"owner{n}", origin=site.elsewhere())) for n in range(CROWD)]


async def sent(site: Site) -> dict[Channel, int]:
    messages = await site.harness.messages()
    return {channel: sum(one.channel is channel for one in messages) for channel in Channel}


async def dropped(site: Site) -> list[str]:
    return sorted(event.reason for event in await site.events(tag=Tag.NOTICE_DROPPED))


@pytest.mark.attack("OT-25")
async def test_fifty_changes_at_once_get_what_the_budgets_have_and_no_more(open_two: OpenTwo) -> None:
    async with open_two(send_budget_per_day=20, mail_budget_per_day=15) as two:
        callers, repeats = await owners(two[0]), list[int]()
        nodes = [counting(one, repeats) for one in two]
        origins = [two[0].elsewhere() for _ in range(CROWD)]
        done = await asyncio.gather(
            *(nodes[n % 2].flows.account.delete(Deletion(PASSWORD), callers[n], origins[n]) for n in range(CROWD))
        )
        assert done == [Done()] * CROWD
        assert repeats == []
        assert await sent(two[0]) == {Channel.SMS: 20, Channel.EMAIL: 15}
        reasons = await dropped(two[0])
        assert reasons == ["account_deleted:all"] * 30 + ["account_deleted:mail"] * 35
        halves = [event.reason for event in await two[0].events(tag=Tag.CODE_BUDGET_HALF)]
        assert sorted(halves) == ["all", "mail"]


@pytest.mark.attack("OT-25")
async def test_codes_and_notices_at_once_share_a_budget_exactly(open_two: OpenTwo) -> None:
    async with open_two(send_budget_per_day=30, send_budget_per_country=24) as two:
        callers, repeats = await owners(two[0]), list[int]()
        nodes = [counting(one, repeats) for one in two]
        origins = [two[0].elsewhere() for _ in range(2 * CROWD)]
        asked = [f"+8613700{n:06d}" for n in range(CROWD)]
        # Who has an account may use all of a budget, so that each answer says whether a message was sent.
        for n, phone in enumerate(asked):
            await two[0].harness.add_account(f"asker{n}", phone, password=None)
        outcomes = await asyncio.gather(
            *(nodes[n % 2].flows.account.delete(Deletion(PASSWORD), callers[n], origins[n]) for n in range(CROWD)),
            *(nodes[n % 2].ask_code(asked[n], origin=origins[CROWD + n]) for n in range(CROWD)),
        )
        assert outcomes[:CROWD] == [Done()] * CROWD
        assert repeats == []
        messages = [one for one in await two[0].harness.messages() if one.channel is Channel.SMS]
        codes = [one for one in messages if one.code]
        assert len(messages) == 24
        assert len(codes) == outcomes.count(CodeSent())
        assert (await dropped(two[0])).count("account_deleted:country:+86") == CROWD - (24 - len(codes))
        # What the country refused is not counted in the day's budget.
        assert await still_free(two[0]) == 6


async def still_free(site: Site) -> int:
    """How many messages the budget of the day still has."""
    keyring, policy = site.harness.assembled.keyring, site.flows.policy
    key = keyring.counter_key(Tally.CODE_BUDGET, "all")
    return policy.limits.send_budget_per_day - int(
        await site.store.write(lambda tx: tx.counters.peek(key, site.clock.now()))
    )


@pytest.mark.attack("OT-25")
async def test_of_fifty_notices_to_one_owner_at_once_the_quotas_let_through_so_many(open_two: OpenTwo) -> None:
    """Several accounts that had a number one after another, and an operator, may change at the same time."""
    async with open_two(notices_per_hour=5) as two:
        repeats: list[int] = []
        nodes = [counting(one, repeats) for one in two]

        async def told(n: int) -> None:
            here = nodes[n % 2]
            ports: dict[str, Any] = {"keyring": here.harness.assembled.keyring, "policy": here.flows.policy}
            origin = here.origin() if n % 5 else None
            write = store_of(here, repeats).write
            await write(lambda tx: notify(tx, [PHONE, EMAIL], NOTICES[n % 3], here.clock.now(), origin=origin, **ports))

        await asyncio.gather(*map(told, range(CROWD)))
        assert repeats == []
        # Five of each kind.
        most = 5 * len(NOTICES)
        assert await sent(two[0]) == {Channel.SMS: most, Channel.EMAIL: most}
        reasons = await dropped(two[0])
        assert len(reasons) == 2 * (CROWD - most)
        assert {reason.partition(":")[2] for reason in reasons} == {"quota"}
