"""Fifty at once, on two nodes of each store: one enrolment, one session, one factor that stays, five codes judged.

(docs/security/attacks.md MF-3, MF-9, MF-14, RACE-2, RACE-5.)
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from menshen.core.apps import SecondFactorRule
from menshen.core.audit.events import Tag
from menshen.core.factors.asks import Enrolment
from menshen.core.factors.outcomes import Begun, Enrolled, RecoveryCodes
from menshen.core.factors.recovery_codes import mac_of, read_code
from menshen.core.login.outcomes import Granted
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, Problem, ProblemCode
from tests.flows.factors.enrolling import KIND, Phone, begin, demand_step, enrol, passkey_of, ticket
from tests.flows.site import PASSWORD, Site
from tests.harness import KEYRING

CROWD = 50


async def crowd(two: list[Site], run: Callable[[Site, int], Awaitable[Any]], size: int = CROWD) -> list[Any]:
    """Started together, half on each node. What is raised is an outcome, too."""

    async def one(node: Site, n: int) -> Any:
        try:
            return await run(node, n)
        except Problem as problem:
            return problem.denied

    return await asyncio.gather(*(one(two[n % 2], n) for n in range(size)))


def codes_in(outcomes: list[Any]) -> Counter[ProblemCode]:
    return Counter(outcome.code for outcome in outcomes if isinstance(outcome, Denied))


@pytest.mark.attack("MF-9")
async def test_one_enrolment_is_confirmed_once(two: list[Site]) -> None:
    site = two[0]
    account = await site.kevin()
    caller = await site.caller(await site.login())
    phone = await begin(site, caller)
    ask = Enrolment(KIND, phone.code())
    outcomes = await crowd(two, lambda node, _: node.flows.factors.confirm(ask, caller, node.origin()))
    assert [len(one.recovery_codes) for one in outcomes if isinstance(one, Enrolled)] == [10]
    assert codes_in(outcomes) == {ProblemCode.NOT_FOUND: CROWD - 1}
    assert len(await site.events(account, Tag.FACTOR_ADDED)) == 1
    assert await site.store.read.recovery_codes.left(account.number) == 10
    assert (await site.account(account)).factors_version == 1


@pytest.mark.attack("MF-9")
async def test_begun_by_many_and_confirmed_by_many_leaves_one_secret(two: list[Site]) -> None:
    site = two[0]
    account = await site.kevin()
    caller = await site.caller(await site.login())
    outcomes = await crowd(two, lambda node, _: node.flows.factors.begin(KIND, caller, node.origin()), 20)
    phones = [Phone(site, one.shown["secret"]) for one in outcomes if isinstance(one, Begun)]
    assert len(phones) == 20
    stored = await site.store.read.factors.find(account.number, KIND)
    assert stored is not None
    sealer = site.harness.assembled.ports.sealer
    live = sealer.open_for((str(account.number), KIND), stored.begun)
    (right,) = [one for one in phones if one.secret == live]
    # Five wrong codes would pause the account, so the right one comes among three.
    tries = [right, *[one for one in phones if one is not right][:3]]
    asks = [Enrolment(KIND, one.code()) for one in tries]
    outcomes = await crowd(two, lambda node, n: node.flows.factors.confirm(asks[n], caller, node.origin()), 4)
    assert [isinstance(one, Enrolled) for one in outcomes] == [True, False, False, False]
    assert len(await site.store.read.factors.list_of(account.number)) == 1


async def test_one_ticket_enrols_once_and_opens_one_session(two: list[Site]) -> None:
    site = two[0]
    account = await site.harness.add_account("kevin", password=PASSWORD)
    app = await demand_step(site)
    needed = await ticket(site)
    begun = await site.flows.factors.begin_by_ticket(KIND, needed.ticket, "", site.origin())
    assert isinstance(begun, Begun)
    ask = Enrolment(KIND, Phone(site, begun.shown["secret"]).code())
    outcomes = await crowd(
        two, lambda node, _: node.flows.factors.confirm_by_ticket(ask, needed.ticket, node.origin(app=app))
    )
    (granted,) = [one for one in outcomes if isinstance(one, Granted)]
    assert len(granted.recovery_codes) == 10
    assert set(codes_in(outcomes)) <= {ProblemCode.TICKET_INVALID, ProblemCode.NOT_FOUND}
    assert [one.session_id for one in await site.sessions(account)] == [granted.session.session_id]
    assert len(await site.events(account, Tag.FACTOR_ADDED)) == 1


@pytest.mark.attack("MF-3")
async def test_of_many_wrong_codes_five_are_judged(two: list[Site]) -> None:
    site = two[0]
    account = await site.kevin()
    caller = await site.caller(await site.login())
    phone = await begin(site, caller)
    ask = Enrolment(KIND, phone.wrong())
    outcomes = await crowd(two, lambda node, _: node.flows.factors.confirm(ask, caller, node.origin()))
    assert codes_in(outcomes) == {ProblemCode.WRONG_SECOND_FACTOR: 5, ProblemCode.TOO_MANY_REQUESTS: CROWD - 5}
    assert len(await site.events(account, Tag.STEP_FAILED)) == 5


@pytest.mark.attack("MF-14")
async def test_of_all_ways_in_one_remains(two: list[Site]) -> None:
    """Three passkeys, of which two log in alone, and an app: there is neither a password nor a phone beside them."""
    site = two[0]
    account = await site.harness.add_account("kevin", password=PASSWORD)
    number = account.number
    granted = await site.login()
    await enrol(site, await site.caller(granted))
    keys = [passkey_of(number, "a"), passkey_of(number, "b"), passkey_of(number, "c", step_only=True)]
    now = site.clock.now()
    for key in keys:
        await site.store.write(lambda tx, key=key: tx.passkeys.add(key))
    await site.store.write(lambda tx: tx.accounts.set_password(number, "", now=now))
    caller = await site.caller(granted)

    async def remove(node: Site, n: int) -> Any:
        if n % 4 == 3:
            return await node.flows.factors.remove(KIND, caller, node.origin())
        return await node.flows.factors.remove_passkey(keys[n % 4].passkey_id, caller, node.origin())

    outcomes = await crowd(two, remove)
    assert sum(one == Done() for one in outcomes) == 3
    assert set(codes_in(outcomes)) == {ProblemCode.FORBIDDEN, ProblemCode.NOT_FOUND}
    (left,) = await site.store.read.passkeys.list_of(number)
    assert not left.step_only
    assert await site.store.read.factors.list_of(number) == []
    assert len(await site.events(account, Tag.FACTOR_REMOVED)) == 3


@pytest.mark.attack("MF-14")
async def test_of_all_factors_that_a_role_requires_one_remains(two: list[Site]) -> None:
    site = two[0]
    account = await site.kevin()
    granted = await site.login()
    await enrol(site, await site.caller(granted))
    key = passkey_of(account.number)
    await site.store.write(lambda tx: tx.passkeys.add(key))
    app = await site.harness.change_app(second_factor=SecondFactorRule.REQUIRED_FOR, required_for_roles="general_user")
    caller = await site.caller(granted)

    async def remove(node: Site, n: int) -> Any:
        origin = node.origin(app=app)
        if n % 2:
            return await node.flows.factors.remove(KIND, caller, origin)
        return await node.flows.factors.remove_passkey(key.passkey_id, caller, origin)

    outcomes = await crowd(two, remove)
    assert sum(one == Done() for one in outcomes) == 1
    kept = await site.store.read.factors.list_of(account.number), await site.store.read.passkeys.list_of(account.number)
    assert sorted(map(len, kept)) == [0, 1]
    assert await site.store.read.recovery_codes.left(account.number) == 10


async def test_of_many_new_sets_of_recovery_codes_one_is_good(two: list[Site]) -> None:
    site = two[0]
    account = await site.kevin()
    granted = await site.login()
    await enrol(site, await site.caller(granted))
    caller = await site.caller(granted)
    outcomes = await crowd(two, lambda node, _: node.flows.factors.make_recovery_codes(caller, node.origin()), 10)
    sets = [one.codes for one in outcomes if isinstance(one, RecoveryCodes)]
    assert len(sets) == 10
    assert await site.store.read.recovery_codes.left(account.number) == 10
    held = [
        [
            await site.store.read.recovery_codes.holds(
                account.number, mac_of(KEYRING, account.number, read_code(code) or "")
            )
            for code in one
        ]
        for one in sets
    ]
    assert sorted(map(all, held)) == [False] * 9 + [True]
    assert sum(map(any, held)) == 1
