"""Recovery codes, and the switch of the second step. (docs/contracts/factors.md section 7.)"""

from __future__ import annotations

import pytest

from menshen.core.apps import SecondFactorRule
from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import Template
from menshen.core.factors.asks import StepSwitch
from menshen.core.factors.outcomes import RecoveryCodes
from menshen.core.factors.recovery_codes import mac_of, read_code
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, ProblemCode
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.time import MINUTE
from tests.flows.factors.enrolling import enrol
from tests.flows.site import EMAIL, OTHER_PHONE, PHONE, Site, code_of, waits
from tests.harness import KEYRING


async def switch(
    site: Site, caller: Authenticated, typed: str = "", *, on: bool = True, confirmed: bool = False
) -> object:
    ask = StepSwitch(on=on, recovery_code=typed, confirmed=confirmed)
    return await site.flows.factors.switch_second_step(ask, caller, site.origin())


async def left(site: Site, number: int) -> int:
    return int(await site.store.read.recovery_codes.left(number))


async def test_a_new_set_takes_the_place_of_the_old_one(site: Site) -> None:
    account = await site.kevin()
    other, granted = await site.login(), await site.login()
    phone = await enrol(site, await site.caller(granted))
    made = await site.flows.factors.make_recovery_codes(await site.caller(granted), site.origin())
    assert isinstance(made, RecoveryCodes)
    assert len({*made.codes, *phone.codes}) == 20
    assert await left(site, account.number) == 10
    now = site.clock.now()
    for code, good in ((phone.codes[0], False), (made.codes[0], True), (made.codes[0], False)):
        mac = mac_of(KEYRING, account.number, read_code(code) or "")
        assert await site.store.write(lambda tx, mac=mac: tx.recovery_codes.spend(account.number, mac, now)) == good
    assert await site.alive(other, granted) == [False, True]
    assert (await site.account(account)).factors_version == 2
    assert Tag.RECOVERY_MADE in await site.tags(account)
    assert [(m.to, m.template) for m in await site.harness.messages()][-2:] == [
        (PHONE, Template.RECOVERY_MADE), (EMAIL, Template.RECOVERY_MADE),
    ]  # fmt: skip


async def test_without_a_factor_there_are_neither_codes_nor_a_second_step(site: Site) -> None:
    account = await site.kevin()
    caller = await site.caller(await site.login())
    made = await site.flows.factors.make_recovery_codes(caller, site.origin())
    assert code_of(made) is ProblemCode.FORBIDDEN
    assert code_of(await switch(site, caller, confirmed=True)) is ProblemCode.FORBIDDEN
    assert (await site.account(account)).factors_version == 0


async def test_a_code_typed_back_turns_the_second_step_on_and_stays_unused(site: Site) -> None:
    account = await site.kevin()
    other, granted = await site.login(), await site.login()
    phone = await enrol(site, await site.caller(granted))
    typed = phone.codes[3].replace("-", " ").upper()
    assert await switch(site, await site.caller(granted), typed) == Done()
    after = await site.account(account)
    assert (after.second_step, after.factors_version) == (True, 2)
    assert await left(site, account.number) == 10
    assert await site.alive(other, granted) == [False, True]
    assert Tag.SECOND_STEP_ON in await site.tags(account)
    assert [m.template for m in await site.harness.messages()][-2:] == [Template.FACTOR_ADDED] * 2
    # Once more changes nothing.
    assert await switch(site, await site.caller(granted), "nonsense") == Done()
    assert (await site.account(account)).factors_version == 2
    assert await switch(site, await site.caller(granted), on=False) == Done()
    assert not (await site.account(account)).second_step
    assert Tag.SECOND_STEP_OFF in await site.tags(account)
    assert await left(site, account.number) == 10


async def test_the_owners_word_turns_it_on_too(site: Site) -> None:
    account = await site.kevin()
    granted = await site.login()
    await enrol(site, await site.caller(granted))
    assert await switch(site, await site.caller(granted), confirmed=True) == Done()
    assert (await site.account(account)).second_step


async def test_neither_a_code_nor_the_owners_word_is_no_guess(site: Site) -> None:
    await site.kevin()
    granted = await site.login()
    phone = await enrol(site, await site.caller(granted))
    caller = await site.caller(granted)
    for _ in range(6):
        assert await switch(site, caller) == Denied(ProblemCode.INVALID_REQUEST, field="recovery_code")
    assert await switch(site, caller, phone.codes[0]) == Done()


async def test_a_wrong_code_is_counted_as_one_of_a_step(site: Site) -> None:
    account = await site.kevin()
    granted = await site.login()
    phone = await enrol(site, await site.caller(granted))
    caller = await site.caller(granted)
    for typed in ("é", "zzzz-zzzz-zzzz", phone.codes[0][:-1], phone.codes[0] + "0", "é" * 12):
        assert code_of(await switch(site, caller, typed)) is ProblemCode.WRONG_SECOND_FACTOR
    assert waits(await switch(site, caller, phone.codes[0])) == 15 * 60
    assert not (await site.account(account)).second_step
    assert [event.reason for event in await site.events(account, Tag.STEP_FAILED)] == ["recovery"] * 5
    assert await left(site, account.number) == 10


async def test_a_spent_code_is_wrong(site: Site) -> None:
    account = await site.kevin()
    granted = await site.login()
    phone = await enrol(site, await site.caller(granted))
    mac, now = mac_of(KEYRING, account.number, read_code(phone.codes[0]) or ""), site.clock.now()
    await site.store.write(lambda tx: tx.recovery_codes.spend(account.number, mac, now))
    caller = await site.caller(granted)
    assert code_of(await switch(site, caller, phone.codes[0])) is ProblemCode.WRONG_SECOND_FACTOR
    assert await switch(site, caller, phone.codes[1]) == Done()


@pytest.mark.attack("OT-10")
async def test_a_code_of_another_account_is_refused_and_stays_unused(site: Site) -> None:
    await site.kevin()
    other = await site.harness.add_account("other", OTHER_PHONE, password="correct horse")
    mine, theirs = await site.login(), await site.login("other")
    await enrol(site, await site.caller(mine))
    phone = await enrol(site, await site.caller(theirs))
    assert code_of(await switch(site, await site.caller(mine), phone.codes[0])) is ProblemCode.WRONG_SECOND_FACTOR
    assert await left(site, other.number) == 10
    assert await switch(site, await site.caller(theirs), phone.codes[0]) == Done()


@pytest.mark.parametrize(
    ("rule", "roles", "keeps"),
    [
        (SecondFactorRule.REQUIRED, "admin", True),
        (SecondFactorRule.REQUIRED_FOR, "general_user", True),
        (SecondFactorRule.REQUIRED_FOR, "admin", False),
        (SecondFactorRule.OFF, "general_user", False),
    ],
)
async def test_it_stays_on_where_the_app_or_a_role_requires_it(
    site: Site, rule: SecondFactorRule, roles: str, keeps: bool
) -> None:
    account = await site.kevin()
    granted = await site.login()
    await enrol(site, await site.caller(granted))
    assert await switch(site, await site.caller(granted), confirmed=True) == Done()
    await site.harness.change_app(second_factor=rule, required_for_roles=roles)
    got = await switch(site, await site.caller(granted), on=False)
    assert got == (Denied(ProblemCode.FORBIDDEN) if keeps else Done())
    assert (await site.account(account)).second_step == keeps


async def test_a_password_alone_does_not_turn_it_off(site: Site) -> None:
    account = await site.kevin()
    granted = await site.login()
    await enrol(site, await site.caller(granted))
    await switch(site, await site.caller(granted), confirmed=True)
    site.clock.advance(10 * MINUTE)
    now = site.clock.now()
    await site.store.write(lambda tx: tx.sessions.prove(granted.session.session_id, now))
    got = await switch(site, await site.caller(granted), on=False)
    assert code_of(got) is ProblemCode.PROOF_REQUIRED
    assert (await site.account(account)).second_step
