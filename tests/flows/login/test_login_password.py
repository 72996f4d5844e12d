"""Logging in by a password: who gets in, who does not, and that nobody can tell why not."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from menshen.adapters.hashing.legacy import careyshop_hash
from menshen.core.apps import CaptchaRule
from menshen.core.audit.events import Tag
from menshen.core.login.outcomes import Granted
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.time import DAY, MINUTE, NEVER, after
from menshen.core.tokens import digest
from menshen.ports.store.store import WriteTx
from tests.flows.site import (
    AWAY,
    CAREYSHOP,
    EMAIL,
    HOME,
    NEW,
    PASSWORD,
    WEIDU,
    WRONG,
    Site,
)
from tests.substitutes import Substitute, failing_write, raising

REFUSED = Denied(ProblemCode.WRONG_CREDENTIALS)


@pytest.mark.parametrize(
    "login_id",
    ["kevin", "Kevin", "ＫＥＶＩＮ", " kevin ", "13544285662", "+86 135 4428 5662", "008613544285662",
     "１３５４４２８５６６２", EMAIL, "KEVIN@163.COM", "kevin＠163.com"],
)  # fmt: skip
async def test_every_spelling_of_every_identifier_logs_in(site: Site, login_id: str) -> None:
    account = await site.kevin()
    got = await site.try_password(login_id)
    assert isinstance(got, Granted)
    assert got.account.number == account.number


async def test_what_is_granted_is_durable_and_says_who_and_since_when(site: Site) -> None:
    account = await site.kevin()
    first = await site.login()
    now = site.clock.now()
    assert (first.account.login_at, first.account.login_ip) == (now, HOME)
    assert (first.account.previous_login_at, first.account.previous_login_ip) == (NEVER, "")
    site.clock.advance(5)
    second = await site.login(origin=site.origin(AWAY, device="phone"))
    assert (second.account.previous_login_at, second.account.previous_login_ip) == (now, HOME)
    caller = await site.caller(second)
    assert caller.account == second.account == await site.account(account)
    assert caller.session == second.session
    session = second.session
    assert (session.dialect, session.platform, session.ip) == ("weidu", "weidu", AWAY)
    assert (session.device_id, session.device_model, session.device_name) == ("phone", "Mi 10", "phone")
    assert session.created_at == session.seen_at == session.proved_at == now + 5
    assert (session.expires_at, session.ends_at) == (now + 5 + 30 * DAY, now + 5 + 180 * DAY)
    assert len(second.token) == 26
    assert second.refresh == ""
    assert site.flows.csrf_fits(session.session_id, second.csrf)


async def test_a_careyshop_login_has_its_own_manners(site: Site) -> None:
    await site.kevin()
    got = await site.login(origin=site.origin(rules=CAREYSHOP), platform="iOS ")
    now = site.clock.now()
    assert len(got.token) == len(got.refresh) == 32
    assert (got.session.platform, got.session.slot) == ("ios", "platform:ios")
    assert got.session.expires_at == got.session.ends_at == now + 30 * DAY
    assert got.session.refresh_expires_at == now + 31 * DAY
    assert got.session.sliding_ms == 0


async def refusals(site: Site) -> dict[str, tuple[str, str]]:
    """Everything that must look like a wrong password: (login id, password)."""
    await site.kevin()
    await site.harness.add_account("nobody-yet", phone="13800138000")
    await site.harness.add_account("gone", password=PASSWORD)
    await site.harness.disable("gone")
    await site.harness.add_account(
        "claimant", phone="13900139000", email="c@b.example", password=PASSWORD, verified=False
    )
    await site.harness.add_account("closed", password=PASSWORD)
    await site.harness.close_account("closed")
    return {
        "wrong": ("kevin", WRONG),
        "other case": ("kevin", PASSWORD.upper()),
        "blank behind": ("kevin", PASSWORD + " "),
        "empty": ("kevin", ""),
        "too long": ("kevin", "x" * 1025),
        "nul": ("kevin", PASSWORD + "\0"),
        "surrogate": ("kevin", "\ud800" * 8),
        "no password set": ("nobody-yet", PASSWORD),
        "no password set, empty": ("nobody-yet", ""),
        "no password set, null": ("nobody-yet", "null"),
        "disabled": ("gone", PASSWORD),
        "disabled, wrong": ("gone", WRONG),
        "closed": ("closed", PASSWORD),
        "unproved phone": ("13900139000", PASSWORD),
        "unproved address": ("c@b.example", PASSWORD),
        "unknown name": ("nobody", PASSWORD),
        "unknown phone": ("13700137000", PASSWORD),
        "unknown address": ("nobody@b.example", PASSWORD),
        "no identifier": ("!", PASSWORD),
        "empty identifier": ("", PASSWORD),
        "wildcard": ("*)(uid=*", PASSWORD),
        "percent": ("%", PASSWORD),
        "a number": ("#1", PASSWORD),
        "public id": ("x" * 26, PASSWORD),
    }


@pytest.mark.attack("EN-1", "PW-5")
async def test_every_refusal_is_the_same_and_costs_one_hash(site: Site) -> None:
    cases = await refusals(site)
    for name, (login_id, password) in cases.items():
        counting, calls = site.counting_hashes()
        assert await counting.try_password(login_id, password, site.elsewhere()) == REFUSED, name
        assert calls == ["verify"], name
    assert await site.store.read.sessions.list_of(1) == []


@pytest.mark.attack("EN-1")
async def test_every_refusal_writes_the_same(site: Site) -> None:
    """One event, one set of counters: nothing in the database grows differently for accounts that exist."""
    cases = await refusals(site)
    for name, (login_id, password) in cases.items():
        before = len(await site.harness.events())
        origin = site.elsewhere()
        await site.try_password(login_id, password, origin)
        (event,) = (await site.harness.events())[before:]
        assert (event.tag, event.ip, event.reason) == (Tag.LOGIN_FAILED, origin.ip, ""), name
        assert PASSWORD not in repr(event)


async def test_the_right_password_costs_one_hash_too(site: Site) -> None:
    await site.kevin()
    counting, calls = site.counting_hashes()
    await counting.login()
    assert calls == ["verify"]


async def test_a_password_is_verified_in_either_composition(site: Site) -> None:
    await site.kevin(password="pass e\u0301clair")
    assert isinstance(await site.try_password(password="pass \u00e9clair"), Granted)


async def test_a_login_is_audited_with_its_session(site: Site) -> None:
    account = await site.kevin()
    got = await site.login()
    (event,) = await site.events(account)
    assert (event.tag, event.session_id, event.reason) == (Tag.LOGIN_SUCCEEDED, got.session.session_id, "password")
    assert (event.app_id, event.source, event.ip, event.at) == (1, "weidu", HOME, site.clock.now())


async def test_a_failure_is_audited_masked(site: Site) -> None:
    await site.kevin()
    for typed, masked in (
        ("13544285662", "135****5662"),
        (EMAIL, "k***n@163.com"),
        ("kevin", "ke***"),
        ("P@ssw0rd!2026", "***"),
    ):
        await site.try_password(typed, WRONG)
        assert (await site.events(tag=Tag.LOGIN_FAILED))[-1].subject == masked


# --- hashes of older schemes ------------------------------------------------------------------------------------------


async def stored(site: Site, number: int = 1) -> str:
    return (await site.account(number)).password_hash


async def put_hash(site: Site, text: str) -> None:
    account = await site.account(1)
    assert await site.store.write(lambda tx: tx.accounts.replace_hash(1, account.password_hash, text))


@pytest.mark.attack("PW-1", "PW-3")
async def test_an_older_hash_is_replaced_at_the_next_right_password(site: Site) -> None:
    account = await site.kevin()
    await put_hash(site, careyshop_hash(PASSWORD.encode()))
    counting, calls = site.counting_hashes()
    assert await counting.try_password(password=WRONG) == REFUSED
    assert calls == ["verify"]
    assert (await stored(site)).startswith("careyshop$")
    await counting.login()
    assert calls == ["verify", "verify", "hash"]
    assert (await stored(site)).startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert (await site.account(account)).password_version == 0
    assert Tag.PASSWORD_REHASHED in await site.tags(account)
    await counting.login()
    assert calls == ["verify", "verify", "hash", "verify"]


@pytest.mark.attack("PW-3")
async def test_logins_at_once_replace_an_older_hash_once(site: Site) -> None:
    account = await site.kevin()
    await put_hash(site, careyshop_hash(PASSWORD.encode()))
    outcomes = await asyncio.gather(*(site.try_password(origin=site.elsewhere()) for _ in range(20)))
    assert [type(outcome) for outcome in outcomes] == [Granted] * 20
    assert (await site.tags(account)).count(Tag.PASSWORD_REHASHED) == 1


@pytest.mark.attack("PW-3")
async def test_the_hash_itself_logs_nobody_in(site: Site) -> None:
    await site.kevin()
    legacy = careyshop_hash(PASSWORD.encode())
    await put_hash(site, legacy)
    for text in (legacy, legacy.removeprefix("careyshop$")):
        assert await site.try_password(password=text) == REFUSED


@pytest.mark.attack("PW-3", "RACE-5")
async def test_a_password_changed_meanwhile_wins_over_the_upgrade_of_the_old_one(site: Site) -> None:
    """Between the verdict on the old password and the session the owner changes it. (PW-3, RACE-5.)"""
    account = await site.kevin()
    await put_hash(site, careyshop_hash(PASSWORD.encode()))
    hasher = site.harness.assembled.hasher
    made = await hasher.hash(NEW.encode())

    async def slow(password: bytes) -> str:
        await site.store.write(lambda tx: tx.accounts.set_password(1, made, now=site.clock.now()))
        return await hasher.hash(password)

    assert await site.over(hasher=Substitute(hasher, hash=slow)).try_password() == REFUSED
    assert await stored(site) == made
    assert await site.sessions(account) == []
    assert isinstance(await site.try_password(password=NEW), Granted)


@pytest.mark.attack("PW-3")
async def test_a_failing_upgrade_does_not_fail_the_login(site: Site) -> None:
    await site.kevin()
    await put_hash(site, careyshop_hash(PASSWORD.encode()))
    overloaded = Substitute(site.harness.assembled.hasher, hash=raising(Problem(ProblemCode.OVERLOADED)))
    await site.over(hasher=overloaded).login()
    assert (await stored(site)).startswith("careyshop$")


@pytest.mark.attack("PW-4")
@pytest.mark.parametrize(
    "text", ["!", "*", "$2b$10$cut", "$argon2id$v=19$m=99999999,t=9,p=1$c2FsdHNhbHQ$aGFzaA", "x" * 500]
)
async def test_a_corrupt_hash_is_a_wrong_password(site: Site, text: str) -> None:
    await site.kevin()
    await put_hash(site, text)
    for password in (PASSWORD, text, ""):
        assert await site.try_password(password=password) == REFUSED
    reasons = [event.reason for event in await site.events(tag=Tag.LOGIN_FAILED)]
    assert reasons == ["unreadable_hash", "unreadable_hash", ""]


# --- what happens between the verdict and the session -----------------------------------------------------------------


async def disable(tx: WriteTx, site: Site) -> None:
    from menshen.core.account.accounts import Status

    await tx.accounts.set_status(1, Status.DISABLED, now=site.clock.now())


async def close(tx: WriteTx, site: Site) -> None:
    await tx.accounts.close(1, now=site.clock.now())


async def change(tx: WriteTx, site: Site) -> None:
    await tx.accounts.set_password(1, "another", now=site.clock.now())


@pytest.mark.parametrize("meanwhile", [disable, close, change])
async def test_who_may_no_longer_log_in_when_the_hash_is_done_does_not(site: Site, meanwhile: Any) -> None:
    account = await site.kevin()
    hasher = site.harness.assembled.hasher

    async def slow(text: str, password: bytes | None) -> Any:
        verdict = await hasher.verify(text, password)
        await site.store.write(lambda tx: meanwhile(tx, site))
        return verdict

    assert await site.over(hasher=Substitute(hasher, verify=slow)).try_password() == REFUSED
    assert await site.sessions(account) == []
    assert await site.tags(account) == [Tag.LOGIN_FAILED]


async def test_a_failing_store_grants_nothing(site: Site) -> None:
    account = await site.kevin()
    broken = site.over(store=failing_write(site.store, 2, Problem(ProblemCode.UNAVAILABLE)))
    with pytest.raises(Problem):
        await broken.try_password()
    assert await site.sessions(account) == []
    assert (await site.account(account)).login_at == NEVER


async def test_a_device_is_remembered_when_a_login_succeeded_on_it(site: Site) -> None:
    account = await site.kevin()
    await site.try_password(password=WRONG, origin=site.origin(device="phone"))
    assert not await site.store.read.devices.known(account.number, digest("phone"))
    await site.login(origin=site.origin(device="phone"))
    assert await site.store.read.devices.known(account.number, digest("phone"))


async def test_an_app_that_always_asks_has_its_captcha_spent_once(site: Site) -> None:
    await site.kevin()
    app = await site.harness.change_app(captcha=CaptchaRule.ALWAYS)
    origin = site.origin(app=app)
    asked = await site.try_password(origin=origin)
    assert isinstance(asked, Denied)
    assert asked.code is ProblemCode.CAPTCHA_REQUIRED
    assert asked.challenge
    captcha = await site.captcha(origin)
    assert isinstance(await site.try_password(origin=origin, captcha=captcha), Granted)
    again = await site.try_password(origin=origin, captcha=captcha)
    assert isinstance(again, Denied)
    assert (again.code, again.challenge is not None) == (ProblemCode.CAPTCHA_INVALID, True)


@pytest.mark.attack("EN-6")
async def test_a_dormant_account_is_asked_for_a_captcha_after_the_right_password_only(site: Site) -> None:
    """Before, a captcha would tell that the account exists. (docs/security/attacks.md EN-6.)"""
    await site.kevin()
    await site.login()
    site.clock.advance(181 * DAY)
    origin = site.origin(AWAY)
    assert await site.try_password(password=WRONG, origin=origin) == REFUSED
    asked = await site.try_password(origin=origin)
    assert isinstance(asked, Denied)
    assert asked.code is ProblemCode.CAPTCHA_REQUIRED
    assert isinstance(await site.try_password(origin=origin, captcha=await site.captcha(origin)), Granted)
    assert isinstance(await site.try_password(origin=origin), Granted)


@pytest.mark.attack("TK-1")
async def test_logging_in_again_with_a_session_ends_that_one(site: Site) -> None:
    """A token never outlives a new authentication of its own. (ASVS 5.0 v5.0.0-7.2.4.)"""
    await site.kevin()
    other = await site.harness.add_account("other", password=PASSWORD)
    first = await site.login()
    theirs = await site.login("other")
    second = await site.login(origin=site.origin(presented=first.token))
    assert await site.alive(first, second) == [False, True]
    # Somebody else's token in the request ends nothing of theirs.
    await site.login(origin=site.origin(presented=theirs.token))
    assert await site.alive(theirs) == [True]
    assert len(await site.sessions(other)) == 1


@pytest.mark.attack("TK-1")
async def test_a_login_ends_the_session_whose_cookie_it_replaces(site: Site) -> None:
    """A browser has one login: also when another account logs in there."""
    await site.kevin()
    other = await site.harness.add_account("other", password=PASSWORD)
    theirs, apart = await site.login("other"), await site.login("other")
    origin = replace(site.origin(), cookie=digest(theirs.token))
    await site.fail(1, origin=origin)
    assert await site.alive(theirs, apart) == [True, True]
    mine = await site.login(origin=origin)
    assert await site.alive(theirs, apart, mine) == [False, True, True]
    ended = (await site.events(other, Tag.SESSION_ENDED))[-1]
    assert (ended.session_id, ended.reason) == (theirs.session.session_id, "newer_login")
    # The browser logs in again, as the same account.
    again = await site.login(origin=replace(origin, presented=digest(mine.token), cookie=digest(mine.token)))
    assert await site.alive(mine, again) == [False, True]
    assert len([e for e in await site.events(mine.account) if e.session_id == mine.session.session_id]) == 2


async def test_houses_lifetimes_are_absolute(site: Site) -> None:
    await site.kevin()
    got = await site.login()
    site.clock.at = after(got.session.ends_at, -1)
    assert await site.alive(got) == [False]
    assert WEIDU.lifetimes.absolute == 180 * DAY
    assert MINUTE == 60_000
