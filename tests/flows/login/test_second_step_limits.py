"""What is counted of second steps, and what that changes: nothing of it depends on tickets, devices or networks."""

from __future__ import annotations

from typing import Any

import pytest

from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import Template
from menshen.core.factors.pending import TRIES
from menshen.core.login.asks import CodeLogin, PasswordLogin
from menshen.core.login.outcomes import Granted, StepNeeded
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import DAY, HOUR, MINUTE, SECOND
from menshen.flows.gates.known_origin import device_digest
from menshen.flows.gates.password_attempts import suspension_keys
from tests.flows.login.stepping import TICKET_INVALID, stepper, wrong
from tests.flows.site import PASSWORD, PHONE, WRONG, Site, open_site

PAUSED = ProblemCode.TOO_MANY_REQUESTS


def paused(outcome: Any) -> int:
    """The seconds to wait."""
    assert isinstance(outcome, Denied), outcome
    assert outcome == Denied(PAUSED, outcome.retry_after), outcome
    assert outcome.retry_after
    return outcome.retry_after


async def test_five_wrong_steps_kill_a_ticket(site: Site) -> None:
    kevin = await stepper(site)
    needed = await kevin.needed()
    for left in range(TRIES - 1, -1, -1):
        assert await kevin.step(needed, "sms", "123456") == wrong(left)
    assert await kevin.by_totp(needed) == TICKET_INVALID
    # Those were no guesses at a code of the account.
    await kevin.granted(await kevin.by_totp(await kevin.needed()))


@pytest.mark.attack("MF-3", "OT-2")
async def test_tickets_give_no_further_tries(folder: Any) -> None:
    """25 tickets with four wrong codes each: five in 15 minutes are judged, and 20 in a day."""
    async with open_site(folder, {"MENSHEN_LIMITS__TICKETS_PER_ACCOUNT": "1000"}) as site:
        kevin = await stepper(site)
        judged, began = 0, site.clock.now()
        for _ in range(25):
            origin = site.elsewhere()
            needed = await kevin.needed(origin)
            for _ in range(4):
                got = await kevin.step(needed, "totp", kevin.wrong_totp(), origin)
                assert isinstance(got, Denied)
                judged += got.code is ProblemCode.WRONG_SECOND_FACTOR
        assert judged == 5
        waits = []
        while site.clock.now() < began + DAY - HOUR:
            site.clock.advance(15 * MINUTE)
            origin = site.elsewhere()
            needed = await kevin.needed(origin)
            for _ in range(4):
                got = await kevin.step(needed, "totp", kevin.wrong_totp(), origin)
                assert isinstance(got, Denied)
                judged += got.code is ProblemCode.WRONG_SECOND_FACTOR
                waits += [got.retry_after] if got.code is PAUSED else []
        assert judged == 20
        # A right code waits, too. A recovery code is a code.
        origin = site.elsewhere()
        needed = await kevin.needed(origin)
        wait = paused(await kevin.by_totp(needed, origin))
        paused(await kevin.step(needed, "recovery", kevin.codes[0], origin))
        assert 15 * MINUTE < wait * SECOND <= HOUR
        assert await site.store.read.recovery_codes.left(kevin.account.number) == 10
        assert await site.sessions(kevin.account) == []


async def test_a_pause_costs_the_ticket_nothing_and_passkeys_go_on(site: Site) -> None:
    kevin = await stepper(site, passkey=True)
    await kevin.wrong_codes(5, await kevin.needed())
    needed = await kevin.needed()
    for _ in range(TRIES + 1):
        assert paused(await kevin.by_totp(needed)) == 15 * 60
    assert await kevin.by_passkey(needed, answer={"signature": b"no"}) == wrong(4)
    await kevin.granted(await kevin.by_passkey(needed))
    reasons = [event.reason for event in await site.events(tag=Tag.LOGIN_REFUSED)]
    assert reasons == ["second_step:too_many_requests"] * (TRIES + 1)


async def test_a_right_step_ends_the_count_of_15_minutes_and_not_that_of_the_day(site: Site) -> None:
    kevin = await stepper(site)
    for _ in range(4):
        needed = await kevin.needed()
        await kevin.wrong_codes(4, needed)
        await kevin.granted(await kevin.by_totp(needed))
        kevin.pass_step()
    needed = await kevin.needed()
    await kevin.wrong_codes(4, needed)
    assert paused(await kevin.by_totp(needed)) * SECOND > 23 * HOUR


@pytest.mark.attack("OT-2")
async def test_a_hundred_wrong_codes_in_a_row_suspend_the_app_of_codes_until_another_factor(folder: Any) -> None:
    generous = {"STEP_TRIES": "1000", "STEP_TRIES_PER_DAY": "1000", "STEP_SUSPEND_AFTER": "6"}
    async with open_site(folder, {f"MENSHEN_LIMITS__{name}": value for name, value in generous.items()}) as site:
        kevin = await stepper(site, passkey=True)
        for turn in range(2):
            await kevin.wrong_codes(5, await kevin.needed())
            needed = await kevin.needed()
            await kevin.wrong_codes(1, needed)
            assert await kevin.by_totp(needed) == Denied(PAUSED)
            site.clock.advance(30 * DAY)
            needed = await kevin.needed()
            assert await kevin.by_totp(needed) == Denied(PAUSED)
            assert len(await site.events(tag=Tag.TOTP_SUSPENDED)) == turn + 1
            if turn:
                await kevin.granted(await kevin.step(needed, "recovery", kevin.codes[0]))
            else:
                await kevin.granted(await kevin.by_passkey(needed))
            kevin.pass_step()
            await kevin.granted(await kevin.by_totp(await kevin.needed()))
            kevin.pass_step()


async def test_the_owner_is_told_once_a_day_that_someone_has_the_password(site: Site) -> None:
    kevin = await stepper(site)

    async def told() -> list[str]:
        return sorted(m.to for m in await site.harness.messages() if m.template is Template.STEP_FAILED)

    needed = await kevin.needed()
    await kevin.wrong_codes(2, needed)
    assert await told() == []
    await kevin.wrong_codes(1, needed)
    assert await told() == [PHONE, "kevin@163.com"]
    await site.harness.deliver()
    await kevin.wrong_codes(2, needed)
    site.clock.advance(HOUR)
    await kevin.wrong_codes(3, await kevin.needed())
    assert await told() == [PHONE, "kevin@163.com"]


async def test_wrong_steps_after_a_code_tell_nothing_of_the_password(site: Site) -> None:
    kevin = await stepper(site)
    needed = await site.try_code(await site.code(), origin=kevin.origin())
    assert isinstance(needed, StepNeeded)
    await kevin.wrong_codes(4, needed)
    assert Template.STEP_FAILED not in {message.template for message in await site.harness.messages()}


@pytest.mark.attack("MF-8")
async def test_a_right_password_without_its_step_changes_nothing_of_the_account(folder: Any) -> None:
    limits = {"TICKETS_PER_ACCOUNT": "1000", "SUSPEND_AFTER": "40"}
    async with open_site(folder, {f"MENSHEN_LIMITS__{name}": value for name, value in limits.items()}) as site:
        kevin = await stepper(site)
        first = await kevin.granted(await kevin.by_totp(await kevin.needed(), kevin.origin()))
        kevin.pass_step()
        await site.fail(2)
        origin, keyring = kevin.origin(device="thief"), site.harness.assembled.keyring

        async def seen() -> tuple[Any, ...]:
            account, now = await site.account(first), site.clock.now()
            counts = [
                await site.store.read.counters.peek(key, now) for key in suspension_keys(keyring, account, origin)
            ]
            known = await site.store.read.devices.known(account.number, device_digest("thief"))
            sessions = [session.session_id for session in await site.sessions(account)]
            return account, counts, known, sessions

        before = await seen()
        assert max(before[1]) == 2
        for _ in range(100):
            needed = await site.try_password(origin=origin)
            assert isinstance(needed, StepNeeded), needed
            got = await kevin.step(needed, "totp", kevin.wrong_totp(), origin)
            assert isinstance(got, Denied)
        assert await seen() == before
        assert await site.alive(first) == [True]
        # A right step ends these counts, as each login does.
        site.clock.advance(DAY)
        await kevin.granted(await kevin.by_totp(await kevin.needed(origin), origin))
        assert max((await seen())[1]) == 0


async def test_strangers_open_only_so_many_tickets_of_an_account(site: Site) -> None:
    kevin = await stepper(site)
    own = kevin.origin(device="own")
    # The first login of the device is one of an unknown device. It is completed, and so it counts no more.
    await kevin.granted(await kevin.by_totp(await kevin.needed(own), own))
    for _ in range(20):
        await kevin.needed(site.elsewhere())
    assert paused(await site.try_password(origin=site.elsewhere())) == 3600
    kevin.pass_step()
    await kevin.granted(await kevin.by_totp(await kevin.needed(own), own))
    # A browser says no device. Its network is known by the last login.
    kevin.pass_step()
    await kevin.granted(await kevin.by_totp(await kevin.needed(kevin.origin()), kevin.origin()))


async def test_who_completes_each_login_is_never_refused(site: Site) -> None:
    kevin = await stepper(site)
    for _ in range(25):
        there = site.elsewhere()
        kevin.pass_step()
        await kevin.granted(await kevin.by_totp(await kevin.needed(there), there))


# --- a code beside the first proof ------------------------------------------------------------------------------------


async def with_code(site: Site, code: str, password: str = PASSWORD) -> Any:
    return await site.flows.login.password(PasswordLogin("kevin", password, second_code=code), site.origin())


async def test_a_second_code_completes_the_login_at_once(site: Site) -> None:
    kevin = await stepper(site)
    got = await kevin.granted(await with_code(site, kevin.totp()))
    assert (got.session.level, got.began) == (2, "password")
    recovered = await kevin.granted(await with_code(site, kevin.codes[0].upper()))
    assert recovered.session.methods == "pwd otp"
    ask = CodeLogin(PHONE, await site.code(), await site.captcha(), second_code=kevin.totp())
    by_sms = await kevin.granted(await site.flows.login.code(ask, site.origin()))
    assert (by_sms.session.methods, by_sms.began) == ("sms otp", "code")


async def test_a_browser_needs_no_cookie_for_a_second_code_in_the_same_request(site: Site) -> None:
    kevin = await stepper(site)
    ask = PasswordLogin("kevin", PASSWORD, second_code=kevin.totp())
    await kevin.granted(await site.flows.login.password(ask, kevin.origin(browser=True)))


async def test_a_wrong_second_code_costs_a_step_and_leaves_a_ticket(site: Site) -> None:
    kevin = await stepper(site)
    got = await with_code(site, kevin.wrong_totp())
    assert isinstance(got, StepNeeded)
    assert got.refused == wrong(4)
    await kevin.granted(await kevin.by_totp(got))
    kevin.pass_step()
    for _ in range(5):
        got = await with_code(site, kevin.wrong_totp())
        assert isinstance(got, StepNeeded)
    got = await with_code(site, kevin.totp())
    assert isinstance(got, StepNeeded)
    assert got.refused is not None
    paused(got.refused)


@pytest.mark.attack("EN-1")
async def test_a_second_code_is_not_looked_at_before_a_right_first_proof(site: Site) -> None:
    kevin = await stepper(site)
    plain = await with_code(site, "", WRONG)
    assert await with_code(site, kevin.totp(), WRONG) == plain == Denied(ProblemCode.WRONG_CREDENTIALS)
    assert await with_code(site, kevin.codes[0], WRONG) == plain
    assert await site.store.read.recovery_codes.left(kevin.account.number) == 10
    assert [factor.counter for factor in await site.store.read.factors.list_of(kevin.account.number)] == [0]
    assert await site.events(tag=Tag.STEP_FAILED) == []


async def test_a_second_code_of_who_needs_none_is_not_looked_at(site: Site) -> None:
    await site.kevin()
    got = await with_code(site, "nonsense")
    assert isinstance(got, Granted)
    assert got.session.level == 1
