"""Fifty ask again for the answer of one refresh, on two nodes, also while it ends. (RACE-15; decision 0059.)"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from menshen.core.account.asks import PasswordChange
from menshen.core.audit.events import Tag
from menshen.core.login.outcomes import Granted
from menshen.core.sessions.outcomes import Authenticated
from menshen.flows.admin import accounts as admin_accounts
from tests.flows.login.refreshing import GRACE, UNAUTHENTICATED, ask, login, renew, told
from tests.flows.site import HOME, NEW, PASSWORD, Site
from tests.substitutes import Substitute

CROWD = 50


@pytest.mark.attack("RACE-3", "RACE-15")
async def test_fifty_racers_on_two_nodes_hold_the_same_pair(two: list[Site]) -> None:
    site = two[0]
    account = await site.kevin()
    pair = await login(site)
    for turn in range(1, 4):
        outcomes = await asyncio.gather(*(ask(two[n % 2], pair.token, pair.refresh) for n in range(CROWD)))
        assert len({told(outcome) for outcome in outcomes}) == 1
        assert await site.alive(pair, outcomes[0]) == [False, True]
        assert await two[1].alive(pair, outcomes[1]) == [False, True]
        assert len(await site.sessions(account)) == 1
        tags = await site.tags(account)
        # One rotation, and one share paid for all that came after it.
        assert [tags.count(tag) for tag in (Tag.SESSION_REFRESHED, Tag.REFRESH_RETRIED)] == [turn, turn]
        pair = outcomes[0]


@pytest.mark.attack("RACE-15")
@pytest.mark.parametrize("asked_before", [False, True])
async def test_of_racers_from_two_networks_those_of_the_first_get_it(two: list[Site], asked_before: bool) -> None:
    site = two[0]
    await site.kevin()
    pair = await login(site)
    if asked_before:
        await renew(site, pair)
    ips = [HOME, "203.0.113.9"]
    outcomes = await asyncio.gather(*(ask(two[n % 2], pair.token, pair.refresh, ips[n // 2 % 2]) for n in range(24)))
    by_network = [[outcome for n, outcome in enumerate(outcomes) if n // 2 % 2 == which] for which in (0, 1)]
    won = [outcome for outcome in outcomes if isinstance(outcome, Granted)]
    assert len({told(outcome) for outcome in won}) == 1
    # All of one network, and nobody of the other.
    answered = [[isinstance(outcome, Granted) for outcome in of] for of in by_network]
    assert sorted(answered) == [[False] * 12, [True] * 12]
    assert await site.alive(won[0]) == [True]


async def finish(site: Site, end: str, new: Granted, caller: Authenticated, passwords: tuple[str, str]) -> Any:
    """End the session of `new` in that way, by the account's other session or as an operator."""
    match end:
        case "logout":
            return await site.flows.sessions.log_out(await site.caller(new), site.origin())
        case "password":
            return await site.flows.account.change_password(PasswordChange(*passwords), caller, site.origin())
        case "epoch":
            return await site.store.write(lambda tx: tx.upkeep.raise_epoch())
        case "disabled":
            return await admin_accounts.disable_account("kevin", store=site.store, world=site.clock)
        case _:
            return await renew(site, new)


@pytest.mark.attack("RACE-15", "RACE-5")
@pytest.mark.parametrize("end", ["logout", "password", "epoch", "disabled", "refresh"])
async def test_who_asks_again_while_it_ends_has_nothing_afterwards(two: list[Site], end: str) -> None:
    site, other = two
    await site.kevin()
    password = PASSWORD
    for turn in range(6):
        old = await login(site, password=password)
        new = await renew(site, old)
        caller = await other.caller(await other.login(password=password))
        chosen = f"{NEW} {turn}"
        racing = [ask(two[n % 2], old.token, old.refresh) for n in range(8)]
        racers = [asyncio.create_task(each) for each in racing[:4]]
        await asyncio.sleep(turn * 0.001)
        done = await finish(other, end, new, caller, (password, chosen))
        # Acknowledged: from now on it is refused everywhere.
        late = await asyncio.gather(*racing[4:])
        assert late == [UNAUTHENTICATED] * 4, (end, turn)
        outcomes = await asyncio.gather(*racers)
        assert {told(outcome) for outcome in outcomes if isinstance(outcome, Granted)} <= {told(new)}
        assert await site.alive(old, new) == [False, False]
        assert await other.alive(old, new) == [False, False]
        if end == "refresh":
            assert await other.alive(done) == [True]
        if end == "password":
            password = chosen
        if end == "disabled":
            await admin_accounts.enable_account("kevin", store=site.store, world=site.clock)


@pytest.mark.attack("RACE-15")
async def test_a_racer_that_was_held_up_for_long_ends_nothing(site: Site) -> None:
    """It read the pair before another refreshed it, and writes half a minute later: no thief."""
    await site.kevin()
    old = await login(site)
    new: list[Granted] = []
    write = site.store.write

    async def held_up(work: Any) -> Any:
        if not new:
            new.append(await renew(site, old))
            site.clock.advance(GRACE + 1)
        return await write(work)

    late = site.over(store=Substitute(site.store, write=held_up))
    assert await ask(late, old.token, old.refresh) == UNAUTHENTICATED
    assert await site.alive(new[0]) == [True]
