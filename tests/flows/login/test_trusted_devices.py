"""Trusted devices: what they stand for, how their tokens change, and what ends them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from menshen.core.account.asks import PasswordChange
from menshen.core.apps import SecondFactorRule
from menshen.core.audit.events import Tag
from menshen.core.login.outcomes import Granted, StepNeeded
from menshen.core.time import DAY, NEVER
from menshen.flows.sessions.manage import end_all_sessions
from tests.flows.login.stepping import Stepper, stepper
from tests.flows.site import CAREYSHOP, HOME, NEW, PASSWORD, Site

WEB: dict[str, Any] = {"browser": True}
PHONE: dict[str, Any] = {"device": "phone"}


async def trusted(kevin: Stepper, **given: Any) -> Granted:
    """A login whose device is trusted from now on."""
    needed = await kevin.needed(kevin.origin(**given))
    got = await kevin.by_totp(needed, kevin.origin(cookie=needed.cookie, **given), trust=True)
    granted = await kevin.granted(got)
    kevin.pass_step()
    assert len(granted.trust) == 26
    return granted


async def again(kevin: Stepper, trust: str, **given: Any) -> Any:
    return await kevin.site.try_password(origin=kevin.origin(trust=trust, **given))


@pytest.mark.parametrize("carried", [WEB, PHONE, {}])
async def test_a_trusted_device_needs_a_password_alone(site: Site, carried: dict[str, Any]) -> None:
    kevin = await stepper(site)
    first = await trusted(kevin, **carried)
    assert first.trust_until == site.clock.now() - 30_000 + 30 * DAY
    assert [event.tag for event in await site.events(kevin.account, Tag.DEVICE_TRUSTED)] == [Tag.DEVICE_TRUSTED]
    got = await kevin.granted(await again(kevin, first.trust, **carried))
    # It is one proof still, and neither a factor nor a fresh one.
    assert (got.session.level, got.session.methods, got.session.second_at) == (1, "pwd trusted", NEVER)
    assert got.trust not in {"", first.trust}
    assert got.trust_until == first.trust_until
    await kevin.granted(await again(kevin, got.trust, **carried))


@pytest.mark.attack("MF-11")
async def test_a_token_that_was_replaced_revokes_its_device(site: Site) -> None:
    kevin = await stepper(site)
    first = await trusted(kevin, **WEB)
    owner = await kevin.granted(await again(kevin, first.trust, **WEB))
    thief = await again(kevin, first.trust, **WEB)
    assert isinstance(thief, StepNeeded)
    assert isinstance(await again(kevin, owner.trust, **WEB), StepNeeded)
    (event,) = await site.events(tag=Tag.TRUST_REVOKED)
    assert (event.account_number, event.reason) == (kevin.account.number, "spent_token")
    assert await site.store.read.trusted_devices.list_of(kevin.account.number, site.clock.now()) == []


@pytest.mark.attack("MF-11")
async def test_a_token_is_for_its_account_app_and_device(site: Site) -> None:
    kevin = await stepper(site)
    other_app = await site.harness.add_app("other")
    first = await trusted(kevin, **PHONE)
    other = await site.harness.add_account("malory", password=PASSWORD)
    now = site.clock.now()
    await site.store.write(lambda tx: tx.accounts.change_factors(other.number, now=now, second_step=True))
    strangers = [
        await site.try_password("malory", origin=kevin.origin(trust=first.trust, **PHONE)),
        await again(kevin, first.trust, app=other_app, **PHONE),
        await again(kevin, first.trust, device="other phone"),
        await again(kevin, first.trust),
        await again(kevin, first.trust[:-1] + ("a" if first.trust[-1] != "a" else "b"), **PHONE),
        await again(kevin, "\ud800", **PHONE),
    ]
    assert {type(outcome) for outcome in strangers} == {StepNeeded}
    # None of it used the token up.
    await kevin.granted(await again(kevin, first.trust, **PHONE))


@pytest.mark.parametrize("change", ["password", "factors", "ended", "restored", "expired", "off", "role"])
async def test_a_change_ends_the_trust(site: Site, change: str) -> None:
    kevin = await stepper(site)
    first = await trusted(kevin, **PHONE)
    number, now, password = kevin.account.number, site.clock.now(), PASSWORD
    flows, caller = site.flows, await site.caller(first)
    match change:
        case "password":
            await flows.account.change_password(PasswordChange(PASSWORD, NEW), caller, kevin.origin(**PHONE))
            password = NEW
        case "factors":
            await site.store.write(lambda tx: end_all_sessions(tx, number, None, now, reason="factor_changed"))
        case "ended":
            await flows.factors.end_all_trusted(caller, kevin.origin(**PHONE))
        case "restored":
            await site.store.write(lambda tx: tx.upkeep.raise_epoch(now))
        case "expired":
            site.clock.advance(30 * DAY)
        case "off":
            await site.harness.change_app(trusted_days=0)
        case _:
            rule = SecondFactorRule.REQUIRED_FOR
            await site.harness.change_app(second_factor=rule, required_for_roles="general_user")
    got = await site.try_password(password=password, origin=kevin.origin(trust=first.trust, **PHONE))
    assert isinstance(got, StepNeeded)


async def test_only_a_passkey_or_an_app_makes_a_device_trusted(site: Site) -> None:
    kevin = await stepper(site, passkey=True)
    by_code = await kevin.granted(await kevin.step(await kevin.needed(), "recovery", kevin.codes[0], trust=True))
    assert by_code.trust == ""
    by_key = await kevin.granted(await kevin.by_passkey(await kevin.needed(), trust=True))
    assert by_key.trust
    await site.harness.change_app(trusted_days=0)
    off = await kevin.granted(await kevin.by_passkey(await kevin.needed(), trust=True))
    assert off.trust == ""
    assert len(await site.store.read.trusted_devices.list_of(kevin.account.number, site.clock.now())) == 1


async def test_a_trusted_device_stands_for_nothing_after_a_code(site: Site) -> None:
    kevin = await stepper(site)
    first = await trusted(kevin, **PHONE)
    origin = kevin.origin(trust=first.trust, **PHONE)
    assert isinstance(await site.try_code(await site.code(), origin=origin), StepNeeded)
    await kevin.granted(await again(kevin, first.trust, **PHONE))


async def test_a_trusted_device_goes_on_while_codes_pause(site: Site) -> None:
    kevin = await stepper(site)
    first = await trusted(kevin, **PHONE)
    origin = site.elsewhere()
    await kevin.wrong_codes(5, await kevin.needed(origin), origin)
    await kevin.granted(await again(kevin, first.trust, **PHONE))


async def test_a_device_is_listed_by_its_name(site: Site) -> None:
    kevin = await stepper(site)
    await trusted(kevin, rules=CAREYSHOP, **PHONE)
    await trusted(kevin, **WEB)
    now = site.clock.now()
    devices = await site.store.read.trusted_devices.list_of(kevin.account.number, now)
    assert [(each.name, each.ip) for each in devices] == [("weidu", HOME), ("phone", HOME)]


@pytest.mark.attack("RACE-1")
async def test_of_fifty_uses_of_one_token_one_is_trusted(two: list[Site]) -> None:
    site = two[0]
    kevin = await stepper(site)
    first = await trusted(kevin, **PHONE)
    origin = kevin.origin(trust=first.trust, **PHONE)
    outcomes = await asyncio.gather(*(two[n % 2].try_password(origin=origin) for n in range(20)))
    granted = [outcome for outcome in outcomes if isinstance(outcome, Granted)]
    assert len(granted) == 1
    # Each further use looks like a thief's.
    assert isinstance(await again(kevin, granted[0].trust, **PHONE), StepNeeded)


async def test_an_admin_may_trust_a_device_where_no_app_asks_for_two_proofs(site: Site) -> None:
    """The roles are those of the rule: without the rule, the second step is the account's own choice."""
    await site.harness.change_app(required_for_roles="general_user")
    kevin = await stepper(site)
    granted = await kevin.granted(await kevin.by_totp(await kevin.needed(), trust=True))
    assert granted.trust
    assert isinstance(await site.try_password(origin=kevin.origin(trust=granted.trust)), Granted)
