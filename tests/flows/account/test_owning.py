"""Who proves a phone or address owns it; claims give way. (docs/contracts/core.md section 1.2.)"""

from __future__ import annotations

from typing import Any

import pytest

from menshen.core.account.accounts import Gender, Profile
from menshen.core.account.asks import Edited, Registration
from menshen.core.audit.events import Tag
from menshen.core.codes.asks import CodeTry
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.identifiers import Kind
from menshen.core.login.asks import CodeLogin, CodeSignup
from menshen.core.login.outcomes import Granted
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, ProblemCode
from tests.flows.account.calls import prove, register, registered, reset, sign_up
from tests.flows.account.overtaking import overtaken
from tests.flows.site import (
    AWAY,
    CAREYSHOP,
    EMAIL,
    OTHER_EMAIL,
    OTHER_PHONE,
    PASSWORD,
    PHONE,
    Site,
    open_site,
)
from tests.substitutes import Substitute

# --- logging in by a code ---------------------------------------------------------------------------------------------


async def test_an_unknown_phone_is_registered_by_its_code(site: Site) -> None:
    first = await site.login_code()
    account = await site.account(first)
    assert (account.phone, account.phone_verified, account.email) == (PHONE, True, None)
    assert account.username is not None
    assert account.username.isdigit()
    assert account.username == account.username_shown
    assert len(account.public_id) == 26
    assert account.password_hash == ""
    again = await site.login_code()
    assert again.account.number == account.number
    tags = await site.tags(account)
    assert tags.count(Tag.ACCOUNT_REGISTERED) == 1
    assert tags.count(Tag.LOGIN_SUCCEEDED) == 2


async def test_an_app_may_turn_that_off_and_tells_only_after_the_right_code(site: Site) -> None:
    app = await site.harness.change_app(auto_register=False)
    origin = site.origin(app=app)
    code = await site.code()
    assert await site.try_code(site.wrong(code), origin=origin) == Denied(ProblemCode.WRONG_CODE)
    assert await site.try_code(code, origin=origin) == Denied(ProblemCode.NOT_REGISTERED)
    assert await site.try_code(code, origin=origin) == Denied(ProblemCode.WRONG_CODE)
    await site.kevin()
    await site.login_code(origin=origin)


async def test_an_unknown_address_is_not_registered(site: Site) -> None:
    assert await site.try_code(await site.code(EMAIL), EMAIL) == Denied(ProblemCode.NOT_REGISTERED)
    account = await site.kevin()
    assert (await site.login_code(EMAIL)).account.number == account.number


@pytest.mark.attack("EN-4")
async def test_a_disabled_account_is_told_so_after_the_right_code_only(site: Site) -> None:
    await site.kevin()
    await site.harness.disable("kevin")
    code = await site.code()
    assert await site.try_code(site.wrong(code)) == Denied(ProblemCode.WRONG_CODE)
    assert await site.try_code(code) == Denied(ProblemCode.ACCOUNT_DISABLED)
    (event,) = await site.events(tag=Tag.LOGIN_REFUSED)
    assert (event.reason, event.account_number) == ("account_disabled", 1)


async def test_two_newcomers_who_draw_one_name_both_get_in(site: Site) -> None:
    first = await site.login_code(OTHER_PHONE)
    code, captcha = await site.code(), await site.captcha()
    random_bits = iter([int(first.account.username or "0") & 0x3FFFFF, 7])

    def token_bytes(count: int) -> bytes:
        return next(random_bits).to_bytes(3) if count == 3 else site.clock.token_bytes(count)

    # The code was made an hour later than this clock says: it is still open.
    world = Substitute(site.clock, token_bytes=token_bytes, now=lambda: first.account.created_at)
    got = await site.over(world=world).flows.login.code(CodeLogin(PHONE, code, captcha), site.origin())
    assert isinstance(got, Granted)
    assert got.account.username != first.account.username
    assert next(random_bits, None) is None


async def test_who_is_overtaken_by_another_registration_of_the_phone_enters_that(site: Site) -> None:
    code = await site.code()
    account = await site.kevin()
    got = await overtaken(site).try_code(code)
    assert isinstance(got, Granted)
    assert got.account.number == account.number


# --- registering without proof ----------------------------------------------------------------------------------------


async def test_a_registration_keeps_what_was_said_and_proves_nothing(site: Site) -> None:
    profile = Profile(nickname="小明", gender=Gender.FEMALE, birthday="1999-12-31")
    account = await registered(site, "Kevin_1", phone=PHONE, email=EMAIL, profile=profile)
    assert (account.username, account.username_shown) == ("kevin_1", "Kevin_1")
    assert (account.phone, account.phone_verified, account.email, account.email_verified) == (
        PHONE,
        False,
        EMAIL,
        False,
    )
    assert account.profile == profile
    assert await site.tags(account) == [Tag.ACCOUNT_REGISTERED]
    got = await site.login("kevin_1")
    assert got.account.number == account.number


@pytest.mark.parametrize(
    "username", ["", "abc", "a" * 21, "with space", "13544285662", "ädmin", "a@b.example", "a\0bc"]
)
async def test_a_username_is_one(site: Site, username: str) -> None:
    assert await register(site, username) == Denied(ProblemCode.INVALID_REQUEST, field="username")


@pytest.mark.parametrize(
    ("password", "reason"),
    [("short", "short"), ("password", "common"), ("attacker", "own_words"), ("13544285662", "own_words"),
     ("kevin-kevin", "own_words"), ("kevin-otters", None), ("x" * 1025, "long")],
)  # fmt: skip
async def test_a_registration_needs_a_good_password(site: Site, password: str, reason: str | None) -> None:
    got = await register(site, password=password, phone=PHONE, email="kevin@b.example")
    if reason is None:
        assert isinstance(got, Edited)
    else:
        assert isinstance(got, Denied)
        assert (got.code, got.field) == (ProblemCode.WEAK_PASSWORD, reason)
        assert await site.store.read.accounts.find(1) is None


async def test_what_stands_on_an_open_account_is_taken(site: Site) -> None:
    await site.kevin()
    await registered(site, "claimant", phone=OTHER_PHONE, email=OTHER_EMAIL, profile=Profile(nickname="Fox"))

    def taken(field: str) -> Denied:
        return Denied(ProblemCode.ALREADY_TAKEN, field=field)

    assert await register(site, "KEVIN") == taken("username")
    assert await register(site, "someone", phone=PHONE) == taken("phone")
    assert await register(site, "someone", phone=OTHER_PHONE) == taken("phone")
    # Addresses may repeat as long as nobody proved them, and beside one who did.
    await registered(site, "second", email=OTHER_EMAIL)
    await registered(site, "third", email=EMAIL)
    fox = Profile(nickname="Fox")
    assert await register(site, "fourth", profile=fox, unique_nickname=True) == taken("nickname")
    assert await register(site, "fourth", profile=fox) != taken("nickname")
    await site.harness.close_account("kevin")
    await registered(site, "kevin", phone=PHONE)


async def test_a_network_registers_20_an_hour(site: Site) -> None:
    for n in range(20):
        await registered(site, f"user{n}")
    assert await register(site, "user20") == Denied(ProblemCode.TOO_MANY_REQUESTS, 3600)
    ask = Registration("user20", PASSWORD)
    assert isinstance(await site.flows.account.register(ask, site.origin(AWAY, CAREYSHOP)), Edited)


# --- who proves owns --------------------------------------------------------------------------------------------------


@pytest.mark.attack("TK-14")
async def test_a_claim_logs_nobody_in_and_gives_way_to_whoever_proves(site: Site) -> None:
    """An attacker registers a victim's number and waits. (docs/security/attacks.md TK-14.)"""
    attacker = await registered(site, phone=PHONE, email=EMAIL)
    await site.login("attacker")
    for login_id in (PHONE, EMAIL):
        assert isinstance(await site.try_password(login_id), Denied)
    victim = await site.login_code()
    assert victim.account.number != attacker.number
    assert (await site.account(attacker)).phone is None
    (event,) = await site.events(attacker, Tag.IDENTIFIER_DROPPED)
    assert event.subject == "135****5662"
    # Neither the attacker's password nor its sessions open the victim's account.
    assert isinstance(await site.try_password(PHONE), Denied)
    assert (await site.login("attacker")).account.number == attacker.number
    # The address still stands there as a claim, and is nobody's login.
    assert await site.try_code(await site.code(EMAIL), EMAIL) == Denied(ProblemCode.NOT_REGISTERED)


@pytest.mark.attack("TK-14")
async def test_a_claimed_phone_resets_no_password(site: Site) -> None:
    attacker = await registered(site, phone=PHONE)
    code = await site.code(purpose=Purpose.RESET)
    assert await reset(site, code) == Denied(ProblemCode.NOT_REGISTERED)
    assert (await site.login("attacker")).account.number == attacker.number


@pytest.mark.attack("TK-14")
async def test_signing_up_by_a_code_takes_the_phone_off_its_claimant(site: Site) -> None:
    attacker = await registered(site, phone=PHONE)
    got = await sign_up(site)
    assert isinstance(got, Granted)
    account = await site.account(got)
    assert (account.phone, account.phone_verified) == (PHONE, True)
    assert (await site.account(attacker)).phone is None
    assert (await site.login(PHONE)).account.number == account.number
    assert (await site.events(account, Tag.LOGIN_SUCCEEDED))[0].reason == "signup"


async def test_a_taken_phone_is_told_after_the_right_code_only(site: Site) -> None:
    await site.kevin()
    code = await site.code(purpose=Purpose.SIGNUP)
    assert await sign_up(site, code=site.wrong(code)) == Denied(ProblemCode.WRONG_CODE)
    assert await sign_up(site, code=code) == Denied(ProblemCode.ALREADY_TAKEN, field="phone")
    assert await sign_up(site, code=code) == Denied(ProblemCode.WRONG_CODE)


@pytest.mark.parametrize("password", ["short", "password", "13544285662"])
async def test_a_weak_password_burns_nothing(site: Site, password: str) -> None:
    code = await site.code(purpose=Purpose.SIGNUP)
    for _ in range(6):
        got = await sign_up(site, password, code=code)
        assert isinstance(got, Denied)
        assert got.code is ProblemCode.WEAK_PASSWORD
    assert isinstance(await sign_up(site, code=code), Granted)


async def test_signing_up_asks_for_a_captcha(site: Site) -> None:
    code = await site.code(purpose=Purpose.SIGNUP)
    asked = await site.flows.login.sign_up(CodeSignup(PHONE, code, PASSWORD), site.origin())
    assert isinstance(asked, Denied)
    assert asked.code is ProblemCode.CAPTCHA_REQUIRED


async def test_a_sign_up_that_meets_another_is_told_so(site: Site) -> None:
    code = await site.code(purpose=Purpose.SIGNUP)
    await site.kevin()
    assert await sign_up(overtaken(site), code=code) == Denied(ProblemCode.ALREADY_TAKEN, field="phone")


# --- proving what one claimed -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("field", "subject"), [("phone", PHONE), ("email", EMAIL)])
async def test_a_claim_becomes_ones_own_by_its_code(site: Site, field: str, subject: str) -> None:
    account = await registered(site, "kevin", phone=PHONE, email=EMAIL)
    rival = await registered(site, "rival", email=EMAIL)
    who = await site.login("kevin")
    assert await prove(site, who, subject) == Done()
    present = await site.account(account)
    assert (present.phone_verified, present.email_verified) == (field == "phone", field == "email")
    assert (await site.login(subject)).account.number == account.number
    assert (await site.account(rival)).email == (EMAIL if field == "phone" else None)
    assert Tag.IDENTIFIER_BOUND in await site.tags(account)


@pytest.mark.attack("OT-6")
async def test_nobody_proves_what_is_not_theirs(site: Site) -> None:
    await registered(site, "kevin", phone=PHONE)
    who = await site.login("kevin")
    code = await site.code(OTHER_PHONE, Purpose.VERIFY, site.origin(rules=CAREYSHOP))
    origin = site.origin(rules=CAREYSHOP)
    await site.flows.codes.verify(CodeTry(Kind.PHONE, OTHER_PHONE, Purpose.VERIFY, code), origin)
    caller = await site.caller(who)
    assert await site.flows.codes.use(OTHER_PHONE, caller, origin) == Denied(ProblemCode.FORBIDDEN)
    # It was not spent by that.
    assert await site.flows.codes.use(OTHER_PHONE, None, origin) == Done()


async def test_what_another_proved_before_stays_theirs(site: Site) -> None:
    claimant = await registered(site, "claimant", email=EMAIL)
    who = await site.login("claimant")
    owner = await site.kevin()
    assert await prove(site, who, EMAIL) == Denied(ProblemCode.ALREADY_TAKEN, field="email")
    assert not (await site.account(claimant)).email_verified
    assert (await site.login_code(EMAIL)).account.number == owner.number


async def test_who_is_overtaken_while_proving_is_told_so(site: Site) -> None:
    await registered(site, "claimant", email=EMAIL)
    who = await site.login("claimant")
    await site.kevin()
    assert await prove(overtaken(site), who, EMAIL) == Denied(ProblemCode.ALREADY_TAKEN, field="email")


async def test_a_number_that_goes_to_another_person_takes_nothing_of_the_old_account_along(folder: Any) -> None:
    """Numbers are recycled by carriers; closing frees them, and the new owner is a new account. (P15.)"""
    async with open_site(folder) as site:
        old = await site.kevin()
        granted = await site.login()
        await site.harness.close_account("kevin")
        new = await site.login_code()
        assert new.account.number > old.number
        assert await site.alive(granted, new) == [False, True]
        assert isinstance(await site.try_password(PHONE), Denied)
