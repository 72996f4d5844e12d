"""Fifty at once, on two nodes of each store: one ticket one session, and no more tries than one after the other."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from menshen.core.audit.events import Tag
from menshen.core.login.outcomes import Granted, StepNeeded
from menshen.core.problems import Denied, ProblemCode
from menshen.flows.factors.changing import finish_change
from tests.flows.login.stepping import TICKET_INVALID, stepper, wrong
from tests.flows.site import Site
from tests.substitutes import failing_write

CROWD = 50


@pytest.mark.attack("RACE-1")
async def test_one_ticket_opens_one_session(two: list[Site]) -> None:
    site = two[0]
    kevin = await stepper(site)
    needed, code = await kevin.needed(), kevin.totp()
    codes = [*kevin.codes[:4], *[code] * (CROWD - 4)]
    factors = ["recovery"] * 4 + ["totp"] * (CROWD - 4)
    outcomes = await asyncio.gather(*(kevin.step(needed, factors[n], codes[n], node=two[n % 2]) for n in range(CROWD)))
    assert len([outcome for outcome in outcomes if isinstance(outcome, Granted)]) == 1
    assert len(await site.sessions(kevin.account)) == 1
    refused = {outcome.code for outcome in outcomes if isinstance(outcome, Denied)}
    assert refused <= {ProblemCode.TICKET_INVALID, ProblemCode.WRONG_SECOND_FACTOR}


@pytest.mark.attack("RACE-1", "OT-9")
async def test_one_code_opens_one_session_over_all_tickets(two: list[Site]) -> None:
    site = two[0]
    kevin = await stepper(site)
    origins = [site.elsewhere() for _ in range(10)]
    tickets = [await kevin.needed(origin) for origin in origins]
    code = kevin.totp()
    outcomes = await asyncio.gather(
        *(kevin.step(tickets[n % 10], "totp", code, origins[n % 10], node=two[n % 2]) for n in range(CROWD))
    )
    assert len([outcome for outcome in outcomes if isinstance(outcome, Granted)]) == 1
    assert len(await site.sessions(kevin.account)) == 1


@pytest.mark.attack("RACE-2", "MF-3")
async def test_guesses_at_once_get_five_tries_of_the_account(two: list[Site]) -> None:
    site = two[0]
    kevin = await stepper(site)
    origins = [site.elsewhere() for _ in range(10)]
    tickets = [await kevin.needed(origin) for origin in origins]
    outcomes = await asyncio.gather(
        *(
            kevin.step(tickets[n % 10], "totp", kevin.wrong_totp(), origins[n % 10], node=two[n % 2])
            for n in range(CROWD)
        )
    )
    codes = [outcome.code for outcome in outcomes if isinstance(outcome, Denied)]
    assert codes.count(ProblemCode.WRONG_SECOND_FACTOR) == 5
    assert codes.count(ProblemCode.TOO_MANY_REQUESTS) == CROWD - 5
    assert len(await site.events(tag=Tag.STEP_FAILED)) == 5


@pytest.mark.attack("RACE-2")
async def test_guesses_at_once_get_five_tries_of_a_ticket(two: list[Site]) -> None:
    site = two[0]
    kevin = await stepper(site)
    needed = await kevin.needed()
    outcomes = await asyncio.gather(*(kevin.step(needed, "passkey", node=two[n % 2]) for n in range(CROWD)))
    lefts = sorted(outcome.tries_left for outcome in outcomes if outcome != TICKET_INVALID)  # type: ignore[union-attr,type-var]
    assert lefts == [0, 1, 2, 3, 4]


async def test_first_proofs_at_once_leave_three_tickets_of_a_network(two: list[Site]) -> None:
    site = two[0]
    kevin = await stepper(site)
    needed = await asyncio.gather(*(two[n % 2].try_password() for n in range(12)))
    tickets = [one for one in needed if isinstance(one, StepNeeded)]
    assert len(tickets) == 12
    alive = [await kevin.step(one, "passkey") == wrong(4) for one in tickets]
    assert sum(alive) == 3


@pytest.mark.attack("RACE-5", "MF-7")
async def test_a_step_against_an_end_of_all_sessions_leaves_no_session(two: list[Site]) -> None:
    site, other = two
    kevin = await stepper(site)
    for _ in range(5):
        needed = await kevin.needed()
        number, now = kevin.account.number, site.clock.now()

        async def change(number: int = number, now: Any = now) -> None:
            ports = other.harness.assembled.ports

            async def work(tx: Any) -> None:
                account = await tx.accounts.hold(number)
                await finish_change(
                    tx, account, None, Tag.FACTOR_ADDED, None, keyring=ports.keyring, policy=ports.policy, now=now
                )

            await other.store.write(work)

        got, _ = await asyncio.gather(kevin.by_totp(needed), change())
        # Whichever was first: the change ends what the step opened, or the step finds another version.
        assert isinstance(got, Granted) or got == TICKET_INVALID
        assert await site.sessions(kevin.account) == []
        kevin.pass_step()


async def test_a_fault_between_the_two_transactions_leaves_the_code_burnt_and_no_session(each_site: Site) -> None:
    site = each_site
    kevin = await stepper(site)
    needed = await kevin.needed()
    for factor, code in (("totp", kevin.totp()), ("recovery", kevin.codes[0])):
        killed = site.over(store=failing_write(site.store, 2, ConnectionError("killed")))
        with pytest.raises(ConnectionError):
            await kevin.step(needed, factor, code, node=killed)
        assert await site.sessions(kevin.account) == []
        got = await kevin.step(needed, factor, code)
        assert isinstance(got, Denied)
        assert got.code is ProblemCode.WRONG_SECOND_FACTOR
    # The ticket itself is still good for another code.
    await kevin.granted(await kevin.step(needed, "recovery", kevin.codes[1]))
