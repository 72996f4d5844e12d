"""Guessing: captcha from the 4th, pause after 10, suspension after 100. (docs/contracts/core.md section 4.1.)"""

from __future__ import annotations

from typing import Any

import pytest

from menshen.core.account.asks import Bind, PasswordChange, PasswordReset
from menshen.core.audit.events import Tag
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.identifiers import Kind
from menshen.core.login.outcomes import Granted
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.time import DAY, MINUTE
from tests.flows.site import AWAY, CAREYSHOP, EMAIL, NEW, OTHER_PHONE, PASSWORD, PHONE, WEIDU, WRONG, Site, code_of
from tests.substitutes import Substitute, all_places_taken, raising

REFUSED = Denied(ProblemCode.WRONG_CREDENTIALS)
KNOWN = ["kevin", "nobody", "13544285662", "13700137000", EMAIL, "nobody@b.example", "!", ""]


async def suspend(site: Site, login_id: str = "kevin", origin_device: str = "", tens: int = 10) -> None:
    """A hundred failures over many networks."""
    for _ in range(tens):
        if origin_device:
            site.clock.advance(16 * MINUTE)
        origin = site.origin(AWAY, device=origin_device) if origin_device else site.elsewhere()
        await site.fail(10, login_id, origin)


@pytest.mark.attack("EN-6")
@pytest.mark.parametrize("login_id", KNOWN)
async def test_captcha_from_the_4th_and_a_pause_after_10(site: Site, login_id: str) -> None:
    """Identifiers that nobody has are counted just the same. (docs/security/attacks.md EN-6.)"""
    await site.kevin()
    for _ in range(3):
        assert await site.try_password(login_id, WRONG) == REFUSED
    for _ in range(3):
        asked = await site.try_password(login_id, WRONG)
        assert code_of(asked) is ProblemCode.CAPTCHA_REQUIRED
        assert isinstance(asked, Denied)
        assert asked.challenge
    await site.fail(7, login_id)
    start = site.clock.now()
    for past, wait in ((0, 900), (1, 900), (60_000, 840), (899_000, 1), (899_999, 1)):
        site.clock.at = start + past
        for password in (WRONG, PASSWORD):
            paused = await site.try_password(login_id, password, captcha=await site.captcha())
            assert paused == Denied(ProblemCode.TOO_MANY_REQUESTS, wait)
    site.clock.at = start + 15 * MINUTE
    assert await site.try_password(login_id, WRONG) == REFUSED


async def test_the_right_password_clears_the_count(site: Site) -> None:
    await site.kevin()
    await site.fail(9)
    captcha = await site.captcha()
    assert isinstance(await site.try_password(captcha=captcha), Granted)
    for _ in range(3):
        assert await site.try_password(password=WRONG) == REFUSED


@pytest.mark.attack("EN-1")
async def test_the_right_password_is_not_judged_in_a_pause(site: Site) -> None:
    await site.kevin()
    await site.fail(10)
    counting, calls = site.counting_hashes()
    assert code_of(await counting.try_password(captcha=await site.captcha())) is ProblemCode.TOO_MANY_REQUESTS
    assert calls == []


@pytest.mark.attack("OT-14")
async def test_one_counter_whatever_the_identifier_its_spelling_and_the_dialect(site: Site) -> None:
    await site.kevin()
    spellings = ["kevin", "KEVIN", "13544285662", "+86 135 4428 5662", EMAIL, "Kevin@163.com", "ｋｅｖｉｎ", " kevin"]
    for n, spelling in enumerate(spellings):
        rules = CAREYSHOP if n % 2 else WEIDU
        origin = site.origin(rules=rules)
        outcome = await site.try_password(spelling, WRONG, origin)
        assert code_of(outcome) is (ProblemCode.WRONG_CREDENTIALS if n < 3 else ProblemCode.CAPTCHA_REQUIRED)
    app = await site.harness.add_app("second")
    other_app = site.origin(app=app)
    assert code_of(await site.try_password("kevin", WRONG, other_app)) is ProblemCode.CAPTCHA_REQUIRED


@pytest.mark.attack("OT-14")
async def test_spellings_of_what_nobody_has_share_a_counter_too(site: Site) -> None:
    for spelling in ("nobody", "NOBODY", "ｎｏｂｏｄｙ"):
        assert await site.try_password(spelling, WRONG) == REFUSED
    assert code_of(await site.try_password(" nobody ", WRONG)) is ProblemCode.CAPTCHA_REQUIRED
    assert await site.try_password("somebody", WRONG) == REFUSED


@pytest.mark.attack("IN-10")
async def test_a_typed_number_is_not_the_account_of_that_number(site: Site) -> None:
    """`#1` is nobody's name: whoever knows an account's number must not be able to shut it."""
    account = await site.kevin()
    assert account.number == 1
    await suspend(site, "#1")
    await site.login()
    await site.fail(3)
    assert isinstance(await site.try_password(captcha=await site.captcha()), Granted)


@pytest.mark.attack("OT-15")
async def test_old_and_new_password_calls_share_the_counter_with_logins(site: Site) -> None:
    await site.kevin()
    caller = await site.caller(await site.login())
    for n in range(10):
        refused = await site.flows.account.change_password(PasswordChange(WRONG, NEW + str(n)), caller, site.origin())
        assert refused == REFUSED
    for password in (WRONG, PASSWORD):
        paused = await site.flows.account.change_password(PasswordChange(password, NEW), caller, site.origin())
        assert paused == Denied(ProblemCode.TOO_MANY_REQUESTS, 900)
        assert await site.try_password(password=password, captcha=await site.captcha()) == paused
    proof = Bind(Kind.PHONE, OTHER_PHONE, "000000", password=PASSWORD)
    site.clock.advance(11 * MINUTE)
    assert code_of(await site.flows.account.bind(proof, caller, site.origin())) is ProblemCode.TOO_MANY_REQUESTS


async def test_a_password_that_strangers_suspended_still_proves_a_caller_with_a_session(site: Site) -> None:
    await site.kevin()
    caller, there = await site.caller(await site.login()), site.elsewhere()
    await suspend(site)

    async def change(old: str) -> Any:
        site.clock.advance(16 * MINUTE)
        return await site.flows.account.change_password(PasswordChange(old, NEW), caller, there)

    # Who holds a stolen session guesses no more often than one network may.
    for _ in range(20):
        assert await change(WRONG) == REFUSED
    assert await change(PASSWORD) == Denied(ProblemCode.PASSWORD_SUSPENDED)
    there = site.elsewhere()
    assert not isinstance(await change(PASSWORD), Denied)


async def test_another_network_is_not_paused(site: Site) -> None:
    await site.kevin()
    await site.fail(10)
    await site.login(origin=site.origin(AWAY))


@pytest.mark.parametrize(
    ("ip", "near"), [("198.51.100.250", True), ("::ffff:198.51.100.9", True), ("198.51.101.7", False)]
)
async def test_neighbours_count_as_one(site: Site, ip: str, near: bool) -> None:
    await site.kevin()
    await site.fail(10)
    assert isinstance(await site.try_password(origin=site.origin(ip)), Granted) is not near


async def test_a_network_that_fails_at_many_accounts_meets_a_captcha_from_the_20th(site: Site) -> None:
    await site.kevin()
    for n in range(19):
        assert await site.try_password(f"nobody{n}", WRONG) == REFUSED
    assert code_of(await site.try_password("kevin")) is ProblemCode.CAPTCHA_REQUIRED
    assert isinstance(await site.try_password("kevin", captcha=await site.captcha()), Granted)
    await site.login(origin=site.origin(AWAY))
    site.clock.advance(15 * MINUTE)
    await site.login()


async def test_right_logins_do_not_count_against_a_network(site: Site) -> None:
    await site.kevin()
    for _ in range(30):
        await site.login()


@pytest.mark.attack("OT-18")
async def test_the_captcha_grows_with_what_a_network_does(site: Site) -> None:
    """A pass that was earned by an easy test buys nothing there."""
    for n in range(25):
        await site.fail(1, f"nobody{n}")
    easy = await site.captcha(difficulty=2)
    asked = await site.try_password("nobody26", WRONG, captcha=easy)
    assert code_of(asked) is ProblemCode.CAPTCHA_INVALID
    assert isinstance(asked, Denied)
    assert asked.challenge
    assert asked.challenge["parameters"]["data"]["difficulty"] == 3
    # A client that asks for a test before it logs in gets one that is hard enough.
    assert (await site.challenge()).parameters["data"]["difficulty"] == 3


# --- suspension -------------------------------------------------------------------------------------------------------


@pytest.mark.attack("EN-6")
@pytest.mark.parametrize("login_id", ["kevin", "nobody"])
async def test_after_100_failures_in_a_row_the_password_is_suspended(site: Site, login_id: str) -> None:
    await site.kevin()
    await suspend(site, login_id)
    for password in (WRONG, PASSWORD):
        origin = site.elsewhere()
        outcome = await site.try_password(login_id, password, origin, captcha=await site.captcha(origin))
        assert outcome == Denied(ProblemCode.PASSWORD_SUSPENDED)
    suspended = await site.events(tag=Tag.PASSWORD_SUSPENDED)
    assert len(suspended) == 1
    site.clock.advance(29 * DAY)
    assert code_of(await site.try_password(login_id, origin=site.elsewhere())) is ProblemCode.PASSWORD_SUSPENDED


async def test_ninety_nine_and_a_right_one_is_no_suspension(site: Site) -> None:
    await site.kevin()
    for _ in range(9):
        await site.fail(10, origin=site.elsewhere())
    await site.fail(9, origin=site.elsewhere())
    origin = site.elsewhere()
    assert isinstance(await site.try_password(origin=origin, captcha=await site.captcha(origin)), Granted)
    await site.fail(3, origin=site.elsewhere())


@pytest.mark.attack("OT-13")
async def test_a_code_lifts_the_suspension_and_the_pause(site: Site) -> None:
    await site.kevin()
    await site.fail(10)
    await suspend(site, tens=9)
    assert code_of(await site.try_password(origin=site.elsewhere())) is ProblemCode.PASSWORD_SUSPENDED
    await site.login_code()
    await site.login()


async def test_a_reset_lifts_the_suspension_and_the_pause(site: Site) -> None:
    await site.kevin()
    await site.fail(10)
    await suspend(site, tens=9)
    code = await site.code(purpose=Purpose.RESET)
    ask = PasswordReset(Kind.PHONE, PHONE, Purpose.RESET, code, NEW, captcha=await site.captcha())
    assert await site.flows.account.reset_password(ask, site.origin()) == Done()
    await site.login(password=NEW)


@pytest.mark.attack("OT-13")
async def test_a_known_device_stays_in_while_others_fail(site: Site) -> None:
    await site.kevin()
    mine = site.origin(device="phone")
    await site.login(origin=mine)
    await suspend(site)
    assert code_of(await site.try_password(origin=site.elsewhere())) is ProblemCode.PASSWORD_SUSPENDED
    await site.login(origin=mine)
    await site.login(origin=site.origin(AWAY, device="phone"))
    # It opened nothing to the others.
    assert code_of(await site.try_password(origin=site.elsewhere())) is ProblemCode.PASSWORD_SUSPENDED
    assert code_of(await site.try_password(origin=site.origin("192.0.2.9", device="tablet"))) is (
        ProblemCode.PASSWORD_SUSPENDED
    )


@pytest.mark.attack("OT-13")
async def test_a_known_device_stays_in_while_its_network_is_paused(site: Site) -> None:
    await site.kevin()
    await site.login(origin=site.origin(AWAY, device="phone"))
    await site.fail(10)
    assert code_of(await site.try_password(origin=site.origin(device="tablet"))) is ProblemCode.TOO_MANY_REQUESTS
    await site.login(origin=site.origin(device="phone"))


@pytest.mark.attack("SG-6", "OT-7")
async def test_a_device_id_is_no_way_around_the_limits(site: Site) -> None:
    """It comes from the client. Whoever copied one has a pause of its own. (docs/security/attacks.md SG-6.)"""
    await site.kevin()
    await site.login(origin=site.origin(device="phone"))
    thief = site.origin(AWAY, device="phone")
    await site.fail(10, origin=thief)
    assert code_of(await site.try_password(origin=thief)) is ProblemCode.TOO_MANY_REQUESTS
    # New ids hit the same counters as none.
    for n in range(10):
        await site.fail(1, origin=site.origin(AWAY, device=f"made-up-{n}"))
    assert code_of(await site.try_password(origin=site.origin(AWAY, device="made-up-11"))) is (
        ProblemCode.TOO_MANY_REQUESTS
    )


@pytest.mark.attack("SG-6")
async def test_a_copied_device_is_suspended_as_well_and_a_code_lifts_it(site: Site) -> None:
    await site.kevin()
    await site.login(origin=site.origin(device="phone"))
    await suspend(site, origin_device="phone")
    site.clock.advance(16 * MINUTE)
    mine = site.origin(device="phone")
    assert code_of(await site.try_password(origin=mine)) is ProblemCode.PASSWORD_SUSPENDED
    # The account itself is not.
    await site.login()
    await site.login_code(origin=mine)
    await site.login(origin=mine)


# --- count, then judge ------------------------------------------------------------------------------------------------


def judged_by(site: Site, error: Exception) -> Site:
    """Give the same installation with a hasher that raises `error` in place of a verdict."""
    return site.over(hasher=Substitute(site.harness.assembled.hasher, verify=raising(error)))


@pytest.mark.parametrize("error", [RuntimeError("out of order"), Problem(ProblemCode.UNAVAILABLE, "shutting down", 1)])
async def test_a_hasher_that_is_away_leaves_the_try_counted(site: Site, error: Exception) -> None:
    await site.kevin()
    broken = judged_by(site, error)
    for _ in range(3):
        with pytest.raises(type(error)):
            await broken.try_password()
    assert code_of(await site.try_password()) is ProblemCode.CAPTCHA_REQUIRED


async def test_a_try_that_finds_the_hash_queue_full_is_no_failure(site: Site) -> None:
    await site.kevin()
    caller = await site.caller(await site.login())
    full = judged_by(site, Problem(ProblemCode.OVERLOADED, "hash queue full", 1))
    for _ in range(20):
        with pytest.raises(Problem):
            await full.try_password()
        with pytest.raises(Problem):
            await full.flows.account.change_password(PasswordChange(PASSWORD, NEW), caller, site.origin())
    await site.login()


async def test_with_no_place_free_nothing_is_read_or_counted(site: Site) -> None:
    await site.kevin()
    async with all_places_taken(site.harness.assembled.hasher):
        for _ in range(20):
            with pytest.raises(Problem) as caught:
                await site.try_password(password=WRONG)
            assert caught.value.denied == Denied(ProblemCode.OVERLOADED, 1)
    assert await site.harness.events() == []
    await site.login()


async def test_what_was_not_judged_is_no_failure(site: Site) -> None:
    await site.kevin()
    for _ in range(3):
        await site.fail(1)
    for _ in range(200):
        assert code_of(await site.try_password()) is ProblemCode.CAPTCHA_REQUIRED
    await site.fail(7)
    for _ in range(20):
        assert code_of(await site.try_password()) is ProblemCode.TOO_MANY_REQUESTS
    site.clock.advance(15 * MINUTE)
    await site.login()
    await site.fail(3, origin=site.elsewhere())


async def test_limits_survive_a_restart(folder: Any) -> None:
    from tests.flows.site import open_site

    async with open_site(folder) as site:
        await site.kevin()
        await site.fail(10)
    async with open_site(folder) as site:
        assert await site.try_password() == Denied(ProblemCode.TOO_MANY_REQUESTS, 900)
