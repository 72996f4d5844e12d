"""A sign that is good once: who comes first is judged, everybody after hears what a wrong sign hears."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from menshen.core.account.asks import PasswordReset
from menshen.core.audit.events import Tag
from menshen.core.codes.asks import CodeSent, SendCode
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.identifiers import Kind
from menshen.core.login.asks import CodeLogin, CodeSignup
from menshen.core.login.outcomes import Granted
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.devices import MAX_SKEW_MS, Device
from menshen.core.time import HOUR, after
from tests.flows.site import NEW, OTHER_PHONE, PASSWORD, PHONE, WRONG, Site
from tests.substitutes import raising, store_with

REPLAYED = Denied(ProblemCode.DEVICE_SIGN_INVALID, field="device_sign")
RACERS = 20


def signed(site: Site, mark: str = "once", ip: str = "198.51.100.7") -> Origin:
    """A request with a sign that is good once."""
    device = Device("d-1", "P40", "phone", signed=True, spends=mark, spends_until=after(site.clock.now(), MAX_SKEW_MS))
    return replace(site.origin(ip), device=device)


@pytest.mark.attack("SG-3")
async def test_of_racers_with_one_sign_one_is_judged(each_site: Site) -> None:
    await each_site.kevin()
    asks = [each_site.try_password("kevin", PASSWORD, signed(each_site)) for _ in range(RACERS)]
    outcomes = await asyncio.gather(*asks)
    assert sum(isinstance(outcome, Granted) for outcome in outcomes) == 1
    assert outcomes.count(REPLAYED) == RACERS - 1
    # From elsewhere too, at another account too.
    await each_site.harness.add_account("lucas", password=PASSWORD)
    assert await each_site.try_password("lucas", PASSWORD, signed(each_site, ip="203.0.113.9")) == REPLAYED
    assert isinstance(await each_site.try_password("lucas", PASSWORD, signed(each_site, "another")), Granted)


async def test_a_sign_that_brought_a_wrong_password_brings_no_second_guess(site: Site) -> None:
    account = await site.kevin()
    assert await site.try_password("kevin", WRONG, signed(site)) == Denied(ProblemCode.WRONG_CREDENTIALS)
    for _ in range(11):
        assert await site.try_password("kevin", PASSWORD, signed(site)) == REPLAYED
    # Whoever replays counts against nobody: the owner is asked for nothing.
    assert isinstance(await site.try_password("kevin", PASSWORD, signed(site, "fresh")), Granted)
    refused = await site.events(account, Tag.LOGIN_REFUSED)
    assert {event.reason for event in refused} == {"device_sign_invalid"}


async def test_what_is_refused_unjudged_spends_no_sign(site: Site) -> None:
    await site.kevin()
    await site.fail(3, "kevin", signed(site, ""))
    asked = await site.try_password("kevin", PASSWORD, signed(site))
    assert isinstance(asked, Denied)
    assert asked.code is ProblemCode.CAPTCHA_REQUIRED
    captcha = await site.captcha(signed(site))
    assert isinstance(await site.try_password("kevin", PASSWORD, signed(site), captcha=captcha), Granted)
    captcha = await site.captcha(signed(site))
    assert await site.try_password("kevin", PASSWORD, signed(site), captcha=captcha) == REPLAYED


async def test_a_replay_spends_no_code_and_no_try(site: Site) -> None:
    await site.kevin()
    code = await site.code()
    pass_ = await site.captcha()
    wrong = "000000" if code != "000000" else "111111"
    first = await site.flows.login.code(CodeLogin(PHONE, wrong, pass_), signed(site))
    assert first == Denied(ProblemCode.WRONG_CODE)
    for _ in range(10):
        ask = CodeLogin(PHONE, code, await site.captcha())
        assert await site.flows.login.code(ask, signed(site)) == REPLAYED
    ask = CodeLogin(PHONE, code, await site.captcha())
    assert isinstance(await site.flows.login.code(ask, signed(site, "fresh")), Granted)


async def test_every_call_that_takes_a_sign_spends_it(site: Site) -> None:
    await site.kevin()

    async def send(origin: Origin) -> object:
        site.clock.advance(HOUR)
        ask = SendCode(Kind.PHONE, OTHER_PHONE, Purpose.SIGNUP, await site.captcha())
        return await site.flows.codes.send(ask, origin)

    assert isinstance(await send(signed(site, "send")), CodeSent)
    sent = len(await site.harness.messages())
    assert await send(signed(site, "send")) == REPLAYED
    assert len(await site.harness.messages()) == sent

    async def sign_up(origin: Origin) -> object:
        code = await site.code(OTHER_PHONE, Purpose.SIGNUP)
        return await site.flows.login.sign_up(CodeSignup(OTHER_PHONE, code, NEW, await site.captcha()), origin)

    assert await sign_up(signed(site, "send")) == REPLAYED
    assert isinstance(await sign_up(signed(site, "sign up")), Granted)

    async def reset(origin: Origin) -> object:
        code = await site.code(PHONE, Purpose.RESET)
        captcha = await site.captcha()
        ask = PasswordReset(Kind.PHONE, PHONE, Purpose.RESET, code, NEW, captcha=captcha)
        return await site.flows.account.reset_password(ask, origin)

    assert await reset(signed(site, "sign up")) == REPLAYED
    assert await reset(signed(site, "reset")) == Done()
    for mark in ("send", "sign up", "reset"):
        assert await site.try_password("kevin", NEW, signed(site, mark)) == REPLAYED


@pytest.mark.parametrize(("repository", "verb"), [("sessions", "open"), ("audit", "append_all")])
async def test_a_sign_stays_spent_when_the_grant_fails(site: Site, repository: str, verb: str) -> None:
    await site.kevin()
    store = store_with(site.store, **{repository: {verb: raising(RuntimeError(verb))}})
    with pytest.raises(RuntimeError, match=verb):
        await site.over(store=store).try_password("kevin", PASSWORD, signed(site))
    assert await site.try_password("kevin", PASSWORD, signed(site)) == REPLAYED
