"""One account's life with second factors, from the first code to the operator's reset: most events that there are."""

from __future__ import annotations

from dataclasses import replace

from menshen.core.factors.asks import FactorProof, SecondStep, StepSwitch
from menshen.core.factors.outcomes import RecoveryCodes
from menshen.core.login.outcomes import Granted, StepNeeded
from menshen.core.outcomes import Done
from menshen.core.problems import Denied
from menshen.core.rules import Origin, StepCarriers
from menshen.core.time import SECOND
from menshen.flows.admin.factors import FactorsReset, reset_factors
from tests.flows.factors.enrolling import KIND, enrol
from tests.flows.factors.passkey_site import enrolled as registered
from tests.flows.site import PASSWORD, Site
from tests.softkey import SoftKey


async def live_with_factors(site: Site) -> set[str]:
    """Enrol, log in by each step, trust a device, change and lose what was enrolled. Return the secrets that passed."""
    await site.harness.add_account("stepper", password=PASSWORD)
    first = await site.login("stepper")
    phone = await enrol(site, await site.caller(first))
    secrets = {phone.secret, *phone.codes, *(code.replace("-", "") for code in phone.codes)}
    flows = site.flows.factors
    assert await flows.switch_second_step(
        StepSwitch(True, phone.codes[0]), await site.caller(first), site.origin()
    ) == (Done())

    async def needed(origin: Origin) -> StepNeeded:
        got = await site.try_password("stepper", origin=origin)
        assert isinstance(got, StepNeeded), got
        secrets.add(got.ticket)
        return got

    async def step(waiting: StepNeeded, factor: str, code: str, origin: Origin, *, trust: bool = False) -> Granted:
        ask = SecondStep(waiting.ticket, FactorProof(factor, code), trust)
        got = await site.flows.login.second(ask, origin)
        assert isinstance(got, Granted), got
        secrets.update({got.token, got.csrf, *filter(None, [got.trust])})
        return got

    here = site.origin(device="d1")
    waiting = await needed(here)
    wrong = SecondStep(waiting.ticket, FactorProof(KIND, phone.wrong()))
    assert isinstance(await site.flows.login.second(wrong, here), Denied)
    site.clock.advance(30 * SECOND)
    trusted = await step(waiting, KIND, phone.code(), here, trust=True)
    # A password is enough on that device; its old token comes back once, and ends the trust.
    spent = replace(here, step=StepCarriers(trust=trusted.trust))
    again = await site.try_password("stepper", origin=spent)
    assert isinstance(again, Granted)
    secrets.update({again.token, again.csrf, again.trust})
    waiting = await needed(spent)
    recovered = await step(waiting, "recovery", phone.codes[1], here)

    caller = await site.caller(recovered)
    made = await flows.make_recovery_codes(caller, here)
    assert isinstance(made, RecoveryCodes)
    secrets.update(made.codes)
    await _add_and_remove(site, recovered)
    assets = site.harness.assembled
    done = await reset_factors(
        "stepper", store=site.store, world=assets.world, keyring=assets.keyring, policy=assets.policy
    )
    assert isinstance(done, FactorsReset)
    return secrets


async def _add_and_remove(site: Site, granted: Granted) -> None:
    """Register a passkey beside the app, remove the app, and turn the second step off."""
    flows, here = site.flows.factors, site.origin()
    key = SoftKey()
    await registered(site, await site.caller(granted), key)
    assert await flows.remove(KIND, await site.caller(granted), here) == Done()
    assert await flows.switch_second_step(StepSwitch(False), await site.caller(granted), here) == Done()
