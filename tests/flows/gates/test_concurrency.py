"""Logins at once: all right ones get in, and no wrong one escapes its count."""

from __future__ import annotations

import asyncio

import pytest

from menshen.core.apps import CaptchaRule
from menshen.core.audit.events import Tag
from menshen.core.login.outcomes import Granted
from menshen.core.problems import Problem, ProblemCode
from tests.flows.site import PASSWORD, WRONG, Site, code_of


async def test_fifty_right_logins_at_once_all_succeed(each_site: Site) -> None:
    site = each_site
    await site.kevin()
    outcomes = await asyncio.gather(*(site.try_password() for _ in range(50)))
    assert [type(outcome) for outcome in outcomes] == [Granted] * 50


async def test_fifty_people_behind_one_address_all_log_in_at_once(each_site: Site) -> None:
    site = each_site
    for n in range(50):
        await site.harness.add_account(f"user{n}", password=PASSWORD)
    outcomes = await asyncio.gather(*(site.try_password(f"user{n}") for n in range(50)))
    assert [type(outcome) for outcome in outcomes] == [Granted] * 50


@pytest.mark.attack("RACE-2")
async def test_fifty_wrong_ones_at_once_count_fifty_and_keep_the_right_one_out(each_site: Site) -> None:
    site = each_site
    await site.harness.change_app(captcha=CaptchaRule.NEVER)
    await site.kevin()
    origin = site.origin(app=site.harness.app)
    wrong = [asyncio.ensure_future(site.try_password(password=WRONG, origin=origin)) for _ in range(50)]
    # The right one comes when the pause has begun and others are still under way: which comes before is chance.
    for heard in asyncio.as_completed(wrong):
        if code_of(await heard) is ProblemCode.TOO_MANY_REQUESTS:
            break
    right = await site.try_password(origin=origin)
    codes = [code_of(outcome) for outcome in (*await asyncio.gather(*wrong), right)]
    assert codes.count(ProblemCode.WRONG_CREDENTIALS) == 10
    assert codes.count(ProblemCode.TOO_MANY_REQUESTS) == 41


async def test_wrong_ones_from_everywhere_at_once_are_judged_a_hundred_times(each_site: Site) -> None:
    site = each_site
    await site.kevin()
    abreast = asyncio.Semaphore(40)

    async def guess() -> ProblemCode:
        async with abreast:
            origin = site.elsewhere()
            captcha = await site.captcha(origin)
            return code_of(await site.try_password(password=WRONG, origin=origin, captcha=captcha))

    codes = await asyncio.gather(*(guess() for _ in range(110)))
    assert codes.count(ProblemCode.WRONG_CREDENTIALS) == 100
    assert codes.count(ProblemCode.PASSWORD_SUSPENDED) == 10
    assert len(await site.events(tag=Tag.PASSWORD_SUSPENDED)) == 1


async def test_too_many_at_one_gate_are_turned_away(site: Site) -> None:
    from menshen.flows.gates.concurrency import AttemptGate

    attempt_gate = AttemptGate(account=1, network=1, most_waiting=3)
    inside = 0

    async def enter() -> None:
        nonlocal inside
        async with attempt_gate.turn(b"account", b"network"):
            inside += 1
            assert inside == 1
            await asyncio.sleep(0)
            inside -= 1

    outcomes = await asyncio.gather(*(enter() for _ in range(5)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None)] * 3 + [Problem] * 2
    assert attempt_gate._gates == {}
    await enter()


async def test_a_network_is_bounded_over_its_accounts(site: Site) -> None:
    from menshen.flows.gates.concurrency import AttemptGate

    attempt_gate = AttemptGate(account=2, network=3)
    inside, most = 0, 0

    async def enter(account: int, network: int) -> None:
        nonlocal inside, most
        async with attempt_gate.turn(b"a%d" % account, b"n%d" % network):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(enter(n % 10, 0) for n in range(40)))
    assert most == 3
    most = 0
    await asyncio.gather(*(enter(0, 0) for _ in range(40)))
    assert most == 2
    most = 0
    await asyncio.gather(*(enter(n, n) for n in range(40)))
    assert most == 40
