"""No laxer app is a way around a stricter one: the strictest of all apps decides what a change of factors needs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from menshen.core.account.asks import Bind, Edited
from menshen.core.apps import SecondFactorRule
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.factors.asks import FactorProof, IdentityProof, SecondStep, StepSwitch
from menshen.core.factors.outcomes import Begun, RecoveryCodes
from menshen.core.identifiers import Kind
from menshen.core.login.outcomes import Granted, StepNeeded
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import MINUTE
from tests.flows.factors.enrolling import KIND, Phone, again, enrol
from tests.flows.site import OTHER_PHONE, PASSWORD, PHONE, Site, open_site

PROOF = Denied(ProblemCode.PROOF_REQUIRED)


@pytest.fixture
async def site(folder: Path) -> AsyncIterator[Site]:
    async with open_site(folder) as made:
        await made.harness.add_account("kevin", PHONE, None, PASSWORD)
        await made.harness.add_app("strict", host="strict.example", second_factor=SecondFactorRule.REQUIRED)
        yield made


async def by_password(site: Site) -> tuple[Granted, Phone]:
    """An account with a factor and without the second step of its own, and a later login at the laxer app."""
    phone = await enrol(site, await site.caller(await site.login("kevin")))
    site.clock.advance(11 * MINUTE)
    return await site.login("kevin", origin=site.elsewhere()), phone


@pytest.mark.attack("MF-4")
async def test_a_password_at_a_laxer_app_changes_no_factor_that_a_stricter_app_asks_for(site: Site) -> None:
    granted, phone = await by_password(site)
    caller = await site.caller(granted)
    assert caller.session.level == 1
    flows, origin = site.flows.factors, site.origin()
    assert await flows.begin(KIND, caller, origin) == PROOF
    assert await flows.remove(KIND, caller, origin) == PROOF
    assert await flows.new_passkey_options(caller, origin) == PROOF
    assert await flows.make_recovery_codes(caller, origin) == PROOF
    assert await flows.switch_second_step(StepSwitch(on=True, confirmed=True), caller, origin) == PROOF
    # A factor proves it, also at the laxer app.
    site.clock.advance(MINUTE)
    proof = IdentityProof(KIND, proof=FactorProof(KIND, phone.code()))
    assert await flows.prove(proof, caller, origin) == Done()
    caller = await again(site, granted)
    assert isinstance(await flows.begin(KIND, caller, origin), Begun)
    assert isinstance(await flows.make_recovery_codes(caller, origin), RecoveryCodes)


async def test_where_no_app_asks_a_password_is_enough(site: Site) -> None:
    (strict,) = [app for app in await site.store.read.apps.list_all() if app.name == "strict"]
    await site.harness.change_app(strict, second_factor=SecondFactorRule.OPTIONAL)
    granted, _ = await by_password(site)
    assert isinstance(await site.flows.factors.begin(KIND, await site.caller(granted), site.origin()), Begun)


async def test_the_last_factor_stays_while_any_app_asks_for_it(site: Site) -> None:
    granted = await site.login("kevin")
    await enrol(site, await site.caller(granted))
    refused = await site.flows.factors.remove(KIND, await again(site, granted), site.origin())
    assert refused == Denied(ProblemCode.FORBIDDEN)


@pytest.mark.attack("MF-4")
async def test_a_password_at_a_laxer_app_changes_no_phone_that_is_a_step_at_a_stricter_app(site: Site) -> None:
    """Else the thief of a password reads the code of the step on a phone of their own."""
    (strict,) = [app for app in await site.store.read.apps.list_all() if app.name == "strict"]
    await site.harness.change_app(strict, sms_step=True)
    granted, phone = await by_password(site)
    code = await site.code(OTHER_PHONE, Purpose.BIND)
    granted = await site.login("kevin", origin=site.elsewhere())
    mine = Bind(Kind.PHONE, OTHER_PHONE, code, PASSWORD)
    caller = await site.caller(granted)
    assert await site.flows.account.bind(mine, caller, site.origin()) == PROOF
    assert (await site.account(granted)).phone == PHONE
    site.clock.advance(MINUTE)
    proof = IdentityProof(KIND, proof=FactorProof(KIND, phone.code()))
    assert await site.flows.factors.prove(proof, caller, site.origin()) == Done()
    assert isinstance(await site.flows.account.bind(mine, await again(site, granted), site.origin()), Edited)


@pytest.mark.attack("MF-11")
async def test_a_trusted_device_changes_no_phone(site: Site) -> None:
    (strict,) = [app for app in await site.store.read.apps.list_all() if app.name == "strict"]
    strict = await site.harness.change_app(strict, sms_step=True)
    _, phone = await by_password(site)
    code = await site.code(OTHER_PHONE, Purpose.BIND, site.origin(app=strict))
    origin = site.origin(app=strict, device="laptop")
    waits = await site.try_password("kevin", origin=origin)
    assert isinstance(waits, StepNeeded)
    step = SecondStep(waits.ticket, FactorProof(KIND, phone.code()), trust_device=True)
    first = await site.flows.login.second(step, origin)
    assert isinstance(first, Granted)
    assert first.trust
    again_here = replace(origin, step=replace(origin.step, trust=first.trust))
    caller = await site.caller(await site.login("kevin", origin=again_here))
    assert caller.session.methods == "pwd trusted"
    assert await site.flows.account.bind(Bind(Kind.PHONE, OTHER_PHONE, code), caller, origin) == PROOF
