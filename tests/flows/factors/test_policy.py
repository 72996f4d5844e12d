"""What an app's rule asks at a login: days of grace, kinds to enrol, and what the owner hears of guesses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from menshen.core.apps import SecondFactorRule
from menshen.core.delivery.messages import Template
from menshen.core.factors.outcomes import FactorList
from menshen.core.login.outcomes import Granted, StepNeeded
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import DAY, MINUTE
from tests.flows.factors.enrolling import KIND, again, begin, confirm, enrol
from tests.flows.site import EMAIL, PASSWORD, PHONE, Site, open_site


@pytest.fixture
async def site(folder: Path) -> AsyncIterator[Site]:
    async with open_site(folder) as made:
        await made.harness.add_account("kevin", PHONE, EMAIL, PASSWORD)
        yield made


async def templates(site: Site) -> list[Template]:
    return [message.template for message in await site.harness.messages()]


async def require(site: Site, days: int = 30) -> None:
    await site.harness.change_app(
        second_factor=SecondFactorRule.REQUIRED, enrol_by=days, second_factor_since=site.clock.now()
    )


async def test_in_the_days_of_grace_a_password_is_enough_and_the_owner_gets_a_notice_a_day(site: Site) -> None:
    await require(site)
    for _ in range(3):
        assert isinstance(await site.try_password("kevin"), Granted)
    assert await templates(site) == [Template.FACTOR_DUE] * 2, "one to the phone, one to the mailbox"
    site.clock.advance(DAY)
    assert isinstance(await site.try_password("kevin"), Granted)
    assert await templates(site) == [Template.FACTOR_DUE] * 4
    site.clock.advance(29 * DAY)
    needed = await site.try_password("kevin")
    assert isinstance(needed, StepNeeded)
    assert (needed.enroll, needed.methods, needed.allowed) == (True, (), ("passkey", KIND))


async def test_the_days_of_grace_are_for_who_has_no_factor(site: Site) -> None:
    await enrol(site, await site.caller(await site.login("kevin")))
    await require(site)
    needed = await site.try_password("kevin")
    assert isinstance(needed, StepNeeded)
    assert (needed.enroll, needed.methods) == (False, (KIND, "recovery"))
    assert Template.FACTOR_DUE not in await templates(site)


async def test_codes_mistyped_at_an_enrolment_are_no_sign_that_a_stranger_knows_the_password(site: Site) -> None:
    caller = await site.caller(await site.login("kevin"))
    phone = await begin(site, caller)
    for _ in range(3):
        await confirm(site, phone, caller, phone.wrong())
    assert Template.STEP_FAILED not in await templates(site)


async def test_no_message_is_paid_for_while_no_code_would_be_judged(site: Site) -> None:
    granted = await site.login("kevin")
    phone = await enrol(site, await site.caller(granted))
    await require(site, 0)
    await site.harness.change_app(sms_step=True)
    caller = await again(site, granted)
    waiting = await begin(site, caller)
    for _ in range(5):
        await confirm(site, waiting, caller, waiting.wrong())
    needed = await site.try_password("kevin")
    assert isinstance(needed, StepNeeded)
    assert "sms" in needed.methods
    refused = await site.flows.login.second_code(needed.ticket, site.origin())
    assert isinstance(refused, Denied)
    assert (refused.code, refused.retry_after) == (ProblemCode.TOO_MANY_REQUESTS, 15 * 60)
    assert all(not template.has_code for template in await templates(site))
    assert phone.codes


async def test_the_list_says_what_proves_identity_and_until_when_it_is_proved(site: Site) -> None:
    granted = await site.login("kevin")
    since = site.clock.now()

    async def listed() -> FactorList:
        found = await site.flows.factors.list(await again(site, granted), site.origin())
        assert isinstance(found, FactorList)
        return found

    first = await listed()
    assert (first.level, first.prove_with, first.fresh_until) == (1, ["password", "code"], since + 10 * MINUTE)
    await enrol(site, await again(site, granted))
    enrolled = await listed()
    assert (enrolled.level, enrolled.prove_with) == (2, ["password", "code", KIND, "recovery"])
    await require(site, 0)
    site.clock.advance(10 * MINUTE)
    last = await listed()
    assert (last.prove_with, last.fresh_until) == ([KIND, "recovery"], 0)


async def test_a_thief_of_the_password_uses_up_no_enrolment_of_the_owner(folder: Path) -> None:
    async with open_site(folder, factor_changes_per_account=5) as site:
        await site.harness.add_account("kevin", None, None, PASSWORD)
        own = await site.login("kevin")
        await require(site, 0)
        for _ in range(3):
            needed = await site.try_password("kevin", origin=site.elsewhere())
            assert isinstance(needed, StepNeeded)
        there = site.elsewhere()
        needed = await site.try_password("kevin", origin=there)
        assert isinstance(needed, StepNeeded)
        begun = [await site.flows.factors.begin_by_ticket(KIND, needed.ticket, "", there) for _ in range(11)]
        assert isinstance(begun[-1], Denied)
        assert begun[-1].code is ProblemCode.TOO_MANY_REQUESTS
        assert not any(isinstance(each, Denied) for each in begun[:10])
        await begin(site, await site.caller(own))
