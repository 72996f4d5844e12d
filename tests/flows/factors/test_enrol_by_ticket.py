"""A login that must have a factor: its ticket opens the enrolment alone, and the enrolment completes it.

(docs/contracts/factors.md section 3.)
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from menshen.core.account.accounts import Account
from menshen.core.account.asks import PasswordReset
from menshen.core.apps import SecondFactorRule
from menshen.core.audit.events import Tag
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.delivery.messages import Template
from menshen.core.factors.asks import Enrolment, FactorProof, NewPasskey, SecondStep
from menshen.core.factors.outcomes import Begun, CodeSent
from menshen.core.factors.passkeys import PublicKeyOptions
from menshen.core.identifiers import Kind
from menshen.core.login.outcomes import Granted, StepNeeded
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import MINUTE, SECOND
from menshen.core.tokens import digest
from tests.flows.factors.enrolling import KIND, Phone, browser, demand_step, enrol, ticket
from tests.flows.factors.enrolling import begin as begin_in_session
from tests.flows.site import AWAY, CAREYSHOP, EMAIL, NEW, PASSWORD, PHONE, Site, code_of, waits
from tests.softkey import UP, SoftKey

INVALID = ProblemCode.TICKET_INVALID


async def unreachable(site: Site) -> Account:
    """An account with a name and a password alone: no code by SMS is due."""
    return await site.harness.add_account("kevin", password=PASSWORD)


async def begin(site: Site, needed: StepNeeded, origin: Origin | None = None, sms: str = "") -> Any:
    return await site.flows.factors.begin_by_ticket(KIND, needed.ticket, sms, origin or site.origin())


async def begun(site: Site, needed: StepNeeded, origin: Origin | None = None, sms: str = "") -> Phone:
    got = await begin(site, needed, origin, sms)
    assert isinstance(got, Begun), got
    return Phone(site, got.shown["secret"])


async def confirm(site: Site, needed: StepNeeded, code: str, origin: Origin | None = None) -> Any:
    return await site.flows.factors.confirm_by_ticket(Enrolment(KIND, code), needed.ticket, origin or site.origin())


async def sms_code(site: Site, needed: StepNeeded, origin: Origin | None = None) -> str:
    sent = await site.flows.login.second_code(needed.ticket, origin or site.origin())
    assert isinstance(sent, CodeSent), sent
    return (await site.harness.messages())[-1].code


async def test_the_enrolment_completes_the_login_that_began(site: Site) -> None:
    account = await unreachable(site)
    before = await site.login(platform="app")
    await demand_step(site)
    got = await site.try_password(platform="pad")
    assert isinstance(got, StepNeeded)
    assert (got.enroll, got.methods, got.phone) == (True, (), "")
    phone = await begun(site, got)
    granted = await confirm(site, got, phone.code())
    assert isinstance(granted, Granted), granted
    session = granted.session
    assert (session.level, session.methods, session.second_at) == (2, "pwd otp", site.clock.now())
    assert (session.platform, granted.began) == ("pad", "password")
    assert len(granted.recovery_codes) == 10
    assert await site.alive(before, granted) == [False, True]
    after = await site.account(account)
    assert (after.factors_version, after.login_at) == (1, site.clock.now())
    tags = await site.tags(account)
    assert [tags.count(tag) for tag in (Tag.LOGIN_STEP_NEEDED, Tag.FACTOR_ADDED, Tag.LOGIN_SUCCEEDED)] == [1, 1, 2]
    # The ticket is used up, and the next login asks for the factor.
    assert code_of(await confirm(site, got, phone.code(1))) is INVALID
    again = await ticket(site)
    assert (again.enroll, again.methods) == (False, (KIND, "recovery"))


@pytest.mark.attack("MF-10")
async def test_the_ticket_of_an_enrolment_opens_nothing_else(site: Site) -> None:
    await unreachable(site)
    await demand_step(site)
    needed = await ticket(site)
    phone = await begun(site, needed)
    origin = site.origin()
    step = SecondStep(needed.ticket, FactorProof(KIND, phone.code()))
    assert code_of(await site.flows.login.second(step, origin)) is INVALID
    assert await site.flows.sessions.check(needed.ticket) is None
    assert isinstance(await site.flows.sessions.authenticate(needed.ticket), Denied)
    assert isinstance(await confirm(site, needed, phone.code()), Granted)


@pytest.mark.attack("MF-10")
async def test_the_ticket_of_an_account_with_a_factor_enrols_none(site: Site) -> None:
    account = await unreachable(site)
    phone = await enrol(site, await site.caller(await site.login()))
    await demand_step(site)
    needed = await ticket(site)
    origin, flows = site.origin(), site.flows.factors
    assert code_of(await begin(site, needed)) is INVALID
    assert code_of(await confirm(site, needed, phone.code(1))) is INVALID
    assert code_of(await flows.passkey_options_by_ticket(needed.ticket, "", origin)) is INVALID
    assert code_of(await flows.add_passkey_by_ticket(NewPasskey({}), needed.ticket, origin)) is INVALID
    (stored,) = await site.store.read.factors.list_of(account.number)
    assert not stored.begun


async def test_a_code_by_sms_allows_the_enrolment_after_a_password(site: Site) -> None:
    account = await site.kevin()
    await demand_step(site)
    needed = await ticket(site)
    assert needed.phone
    assert code_of(await begin(site, needed)) is ProblemCode.PROOF_REQUIRED
    assert code_of(await confirm(site, needed, "123456")) is ProblemCode.PROOF_REQUIRED
    add = await site.flows.factors.add_passkey_by_ticket(NewPasskey({}), needed.ticket, site.origin())
    assert code_of(add) is ProblemCode.PROOF_REQUIRED
    code = await sms_code(site, needed)
    assert code_of(await begin(site, needed, sms=site.wrong(code))) is ProblemCode.WRONG_CODE
    assert len(await site.events(account, Tag.STEP_FAILED)) == 1
    await begun(site, needed, sms=code)
    # It was asked once. Another beginning needs none.
    phone = await begun(site, needed)
    granted = await confirm(site, needed, phone.code())
    assert isinstance(granted, Granted)
    told = [(m.to, m.template) for m in await site.harness.messages()][-2:]
    assert told == [(PHONE, Template.FACTOR_ADDED), (EMAIL, Template.FACTOR_ADDED)]


async def test_a_login_by_a_code_to_the_phone_needs_no_second_one(site: Site) -> None:
    await site.kevin()
    await demand_step(site)
    needed = await site.try_code(await site.code())
    assert isinstance(needed, StepNeeded)
    assert needed.phone == ""
    granted = await confirm(site, needed, (await begun(site, needed)).code())
    assert isinstance(granted, Granted)
    assert (granted.began, granted.session.methods) == ("code", "sms otp")


async def test_wrong_codes_by_sms_pause_the_account(site: Site) -> None:
    await site.kevin()
    await demand_step(site)
    needed = await ticket(site)
    code = await sms_code(site, needed)
    wrong = [code_of(await begin(site, needed, sms=site.wrong(code))) for _ in range(5)]
    assert wrong == [ProblemCode.WRONG_CODE] * 5
    assert waits(await begin(site, needed, sms=code))


async def test_five_wrong_first_codes_kill_the_ticket(site: Site) -> None:
    account = await unreachable(site)
    await demand_step(site)
    needed = await ticket(site)
    phone = await begun(site, needed)
    for left in (4, 3, 2, 1, 0):
        assert await confirm(site, needed, phone.wrong()) == Denied(ProblemCode.WRONG_SECOND_FACTOR, tries_left=left)
    assert code_of(await confirm(site, needed, phone.code())) is INVALID
    assert code_of(await begin(site, needed)) is INVALID
    assert len(await site.events(account, Tag.STEP_FAILED)) == 5
    # The account's own count goes on over further tickets, and does not cost these a try.
    further = await ticket(site)
    phone = await begun(site, further)
    assert waits(await confirm(site, further, phone.code()))
    site.clock.advance(15 * MINUTE)
    last = await ticket(site)
    phone = await begun(site, last)
    assert isinstance(await confirm(site, last, phone.code()), Granted)


async def test_the_fifth_try_may_be_the_right_one(site: Site) -> None:
    await unreachable(site)
    await demand_step(site)
    needed = await ticket(site)
    phone = await begun(site, needed)
    for _ in range(4):
        await confirm(site, needed, phone.wrong())
    assert isinstance(await confirm(site, needed, phone.code()), Granted)


async def test_without_a_beginning_nothing_is_confirmed_and_no_try_is_spent(site: Site) -> None:
    await unreachable(site)
    await demand_step(site)
    needed = await ticket(site)
    for _ in range(6):
        assert code_of(await confirm(site, needed, "123456")) is ProblemCode.NOT_FOUND
    assert isinstance(await confirm(site, needed, (await begun(site, needed)).code()), Granted)


@pytest.mark.attack("MF-1")
async def test_another_app_dialect_device_network_or_browser_gets_one_answer(site: Site) -> None:
    await unreachable(site)
    app = await demand_step(site)
    other = await site.harness.add_app("other", host="other.example", second_factor=SecondFactorRule.REQUIRED)
    at_home = await ticket(site)
    phone_of = await ticket(site, site.origin(device="phone-1"))
    seen = browser(site.origin())
    in_browser = await ticket(site, seen)
    assert in_browser.cookie
    refused = [
        (at_home, site.origin(app=other)),
        (at_home, site.origin(rules=CAREYSHOP)),
        (at_home, site.origin(AWAY)),
        (at_home, site.origin(device="phone-1")),
        (phone_of, site.origin()),
        (phone_of, site.origin(device="phone-2")),
        (in_browser, seen),
        (in_browser, browser(site.origin(), at_home.ticket)),
        (replace(at_home, ticket="0" * 26), site.origin()),
        (replace(at_home, ticket=""), site.origin()),
    ]
    for needed, origin in refused:
        assert code_of(await begin(site, needed, origin)) is INVALID
        assert code_of(await confirm(site, needed, "123456", origin)) is INVALID
        options = await site.flows.factors.passkey_options_by_ticket(needed.ticket, "", origin)
        assert code_of(options) is INVALID
    assert app.second_factor is SecondFactorRule.REQUIRED
    # A phone that changed its network, and the browser with its cookie, go on.
    moved = site.origin(AWAY, device="phone-1")
    granted = await confirm(site, phone_of, (await begun(site, phone_of, moved)).code(), moved)
    assert isinstance(granted, Granted)
    assert len(await site.events(tag=Tag.STEP_ELSEWHERE)) == 1


async def test_a_browser_goes_on_with_the_cookie_of_its_ticket(site: Site) -> None:
    await unreachable(site)
    await demand_step(site)
    needed = await ticket(site, browser(site.origin()))
    held = browser(site.origin(AWAY), needed.cookie)
    assert isinstance(await confirm(site, needed, (await begun(site, needed, held)).code(), held), Granted)


@pytest.mark.attack("MF-7")
@pytest.mark.parametrize("change", ["disabled", "password", "factor", "ended", "epoch", "late"])
async def test_a_ticket_dies_with_what_it_was_given_for(site: Site, change: str) -> None:
    account = await unreachable(site)
    number, now = account.number, site.clock.now()
    granted = await site.login()
    await demand_step(site)
    needed = await ticket(site)
    phone = await begun(site, needed)
    match change:
        case "disabled":
            await site.harness.disable("kevin")
        case "password":
            await site.store.write(lambda tx: tx.accounts.set_password(number, "", now=now))
        case "factor":
            await enrol(site, await site.caller(granted))
        case "ended":
            assert await site.flows.sessions.end_others(await site.caller(granted), site.origin()) == Done()
        case "epoch":
            await site.store.write(lambda tx: tx.upkeep.raise_epoch(now))
        case _:
            site.clock.advance(300 * SECOND)
    assert code_of(await begin(site, needed)) is INVALID
    assert code_of(await confirm(site, needed, phone.code())) is INVALID
    assert Tag.LOGIN_SUCCEEDED not in (await site.tags(account))[-1:]


async def test_the_app_says_which_kinds_may_be_enrolled(site: Site) -> None:
    await unreachable(site)
    await demand_step(site, factors="passkey")
    needed = await ticket(site)
    origin = site.origin()
    assert code_of(await begin(site, needed)) is ProblemCode.FORBIDDEN
    nothing = await site.flows.factors.begin_by_ticket("nothing", needed.ticket, "", origin)
    assert code_of(nothing) is ProblemCode.NOT_FOUND
    await site.harness.change_app(factors="totp")
    options = await site.flows.factors.passkey_options_by_ticket(needed.ticket, "", site.origin())
    assert code_of(options) is ProblemCode.FORBIDDEN


async def test_an_account_that_wants_two_proofs_enrols_at_an_app_that_hides_it(site: Site) -> None:
    account = await unreachable(site)
    now = site.clock.now()
    await site.store.write(lambda tx: tx.accounts.change_factors(account.number, now=now, second_step=True))
    await site.harness.change_app(second_factor=SecondFactorRule.OFF)
    needed = await ticket(site)
    assert needed.enroll
    assert isinstance(await confirm(site, needed, (await begun(site, needed)).code()), Granted)


# --- passkeys ---------------------------------------------------------------------------------------------------------


async def options(site: Site, needed: StepNeeded, origin: Origin, sms: str = "") -> Any:
    got = await site.flows.factors.passkey_options_by_ticket(needed.ticket, sms, origin)
    assert isinstance(got, PublicKeyOptions), got
    return got.options


async def add(site: Site, needed: StepNeeded, origin: Origin, credential: Any) -> Any:
    return await site.flows.factors.add_passkey_by_ticket(NewPasskey(credential, "laptop"), needed.ticket, origin)


@pytest.mark.parametrize("verified", [True, False])
async def test_a_passkey_completes_the_login_too(site: Site, verified: bool) -> None:
    account = await unreachable(site)
    await demand_step(site)
    needed = await ticket(site, browser(site.origin()))
    origin = browser(site.origin(), needed.cookie)
    key = SoftKey() if verified else SoftKey(flags=UP, rk=False)
    granted = await add(site, needed, origin, key.create(await options(site, needed, origin)))
    assert isinstance(granted, Granted), granted
    assert granted.session.level == 2
    assert granted.session.methods == ("pwd hwk user" if verified else "pwd hwk")
    assert len(granted.recovery_codes) == 10
    (kept,) = await site.store.read.passkeys.list_of(account.number)
    assert (kept.name, kept.step_only) == ("laptop", not verified)


@pytest.mark.attack("MF-5")
async def test_a_passkey_for_another_ticket_is_refused(site: Site) -> None:
    account = await unreachable(site)
    await demand_step(site)
    seen = browser(site.origin())
    one, two = await ticket(site, seen), await ticket(site, seen)
    first, second = browser(site.origin(), one.cookie), browser(site.origin(), two.cookie)
    key = SoftKey()
    answer = key.create(await options(site, one, first))
    assert isinstance(await add(site, two, second, answer), Denied)
    assert await site.store.read.passkeys.list_of(account.number) == []
    assert isinstance(await add(site, one, first, answer), Granted)


async def test_wrong_passkeys_kill_the_ticket_and_old_challenges_do_not(site: Site) -> None:
    account = await unreachable(site)
    await demand_step(site)
    needed = await ticket(site, browser(site.origin()))
    origin = browser(site.origin(), needed.cookie)
    key = SoftKey()
    for left in (4, 3, 2, 1, 0):
        wrong = key.create(await options(site, needed, origin), origin="https://evil.example")
        assert await add(site, needed, origin, wrong) == Denied(ProblemCode.WRONG_PASSKEY, tries_left=left)
    assert code_of(await site.flows.factors.passkey_options_by_ticket(needed.ticket, "", origin)) is INVALID
    needed = await ticket(site, browser(site.origin()))
    origin = browser(site.origin(), needed.cookie)
    spent = key.create(await options(site, needed, origin), origin="https://evil.example")
    assert code_of(await add(site, needed, origin, spent)) is ProblemCode.WRONG_PASSKEY
    for _ in range(6):
        assert code_of(await add(site, needed, origin, spent)) is ProblemCode.CHALLENGE_EXPIRED
    assert isinstance(await add(site, needed, origin, key.create(await options(site, needed, origin))), Granted)
    assert len(await site.store.read.passkeys.list_of(account.number)) == 1


async def test_what_a_login_replaces_is_what_its_first_request_named(site: Site) -> None:
    await unreachable(site)
    before = await site.login(platform="one")
    await demand_step(site)
    needed = await ticket(site, site.origin(presented=before.token))
    pending = await site.store.read.pending_logins.find(digest(needed.ticket))
    assert pending is not None
    assert pending.replaces == digest(before.token)
    assert isinstance(await confirm(site, needed, (await begun(site, needed)).code()), Granted)
    assert await site.alive(before) == [False]


async def test_a_reset_of_the_password_ends_the_ticket(site: Site) -> None:
    await site.kevin()
    await demand_step(site)
    code = await site.code(PHONE, Purpose.RESET)
    needed = await ticket(site)
    ask = PasswordReset(Kind.PHONE, PHONE, Purpose.RESET, code, NEW, captcha=await site.captcha())
    assert await site.flows.account.reset_password(ask, site.origin()) == Done()
    assert code_of(await begin(site, needed)) is INVALID


async def test_what_an_app_does_not_let_people_enrol_is_not_confirmed_there(site: Site) -> None:
    """A session at another app may have begun it."""
    await unreachable(site)
    caller = await site.caller(await site.login("kevin"))
    phone = await begin_in_session(site, caller)
    await demand_step(site)
    await site.harness.change_app(factors="passkey recovery")
    needed = await ticket(site)
    assert code_of(await confirm(site, needed, phone.code())) is ProblemCode.FORBIDDEN
