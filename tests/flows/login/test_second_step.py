"""Second steps: which proofs complete a login, what is counted, and what a pending login is not."""

from __future__ import annotations

from typing import Any

import pytest

from menshen.core.apps import SecondFactorRule
from menshen.core.audit.events import Tag
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.delivery.messages import Template
from menshen.core.identifiers import masked
from menshen.core.login.asks import PasswordLogin
from menshen.core.login.outcomes import StepNeeded
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import MINUTE, NEVER, SECOND
from tests.flows.login.stepping import TICKET_INVALID, Stepper, sms_code, stepper, wrong
from tests.flows.site import AWAY, CAREYSHOP, HOME, PASSWORD, PHONE, Site
from tests.substitutes import Substitute

PAUSED = ProblemCode.TOO_MANY_REQUESTS


async def test_a_right_password_alone_opens_nothing(site: Site) -> None:
    kevin = await stepper(site, passkey=True)
    needed = await kevin.needed()
    assert needed.methods == ("passkey", "totp", "recovery")
    assert needed.expires_at == site.clock.now() + 300 * SECOND
    assert (needed.enroll, needed.phone, needed.cookie, needed.refused) == (False, "", "", None)
    assert await site.sessions(kevin.account) == []
    assert (await site.account(kevin.account)).login_at == NEVER
    assert await site.tags(kevin.account) == [Tag.LOGIN_STEP_NEEDED]


async def test_a_code_of_the_app_opens_the_session_of_the_login_that_began(site: Site) -> None:
    kevin = await stepper(site)
    needed = await kevin.needed(platform="web")
    site.clock.advance(5 * SECOND)
    got = await kevin.granted(await kevin.by_totp(needed))
    now = site.clock.now()
    session = got.session
    assert (session.level, session.methods, session.second_at, session.proved_at) == (2, "pwd otp", now, now)
    assert (session.platform, got.began) == ("web", "password")
    assert (await site.account(got)).login_at == now
    assert [event.reason for event in await site.events(tag=Tag.LOGIN_SUCCEEDED)] == ["password+totp"]
    assert (got.trust, got.trust_until) == ("", NEVER)
    assert await kevin.step(needed, "totp", kevin.totp(1)) == TICKET_INVALID


async def test_a_passkey_is_a_step_for_its_own_ticket_alone(site: Site) -> None:
    kevin = await stepper(site, passkey=True)
    one, other = await kevin.needed(), await kevin.needed()
    made = await site.flows.login.second_options(one.ticket, kevin.origin())
    assert not isinstance(made, Denied)
    assert kevin.key is not None
    kevin.key.counter = 1
    credential = kevin.key.get(made.options)
    got = await kevin.step(other, "passkey", credential=credential)
    assert got == wrong(4)
    granted = await kevin.granted(await kevin.step(one, "passkey", credential=credential))
    assert (granted.session.level, granted.session.methods) == (2, "pwd hwk user")
    # Its challenge is spent, and its ticket gone.
    assert await kevin.step(one, "passkey", credential=credential) == TICKET_INVALID


@pytest.mark.parametrize(
    "changes", [{"signature": b"wrong"}, {"origin": "https://evil.example"}, {"handle": b"x" * 32}]
)
async def test_a_wrong_passkey_costs_a_step_and_burns_its_challenge(site: Site, changes: dict[str, Any]) -> None:
    kevin = await stepper(site, passkey=True)
    needed = await kevin.needed()
    assert await kevin.by_passkey(needed, answer=changes) == wrong(4)
    assert [event.reason for event in await site.events(tag=Tag.STEP_FAILED)] == ["passkey"]
    await kevin.granted(await kevin.by_passkey(needed))


async def test_a_challenge_is_spent_by_a_wrong_answer(site: Site) -> None:
    kevin = await stepper(site, passkey=True)
    assert kevin.key is not None
    needed = await kevin.needed()
    made = await site.flows.login.second_options(needed.ticket, kevin.origin())
    assert not isinstance(made, Denied)
    assert await kevin.step(needed, "passkey", credential=kevin.key.get(made.options, signature=b"no")) == wrong(4)
    again = await kevin.step(needed, "passkey", credential=kevin.key.get(made.options, counter=1))
    assert again == Denied(ProblemCode.CHALLENGE_EXPIRED, tries_left=3)


async def test_the_copy_of_a_passkey_is_refused_and_its_owner_told(site: Site) -> None:
    kevin = await stepper(site, passkey=True)
    assert kevin.key is not None
    await kevin.granted(await kevin.by_passkey(await kevin.needed()))
    kevin.key.counter = 0
    assert await kevin.by_passkey(await kevin.needed()) == wrong(4)
    assert Template.PASSKEY_COPIED in {message.template for message in await site.harness.messages()}
    assert len(await site.sessions(kevin.account)) == 1


@pytest.mark.parametrize("spelling", [str, str.upper, lambda code: code.replace("-", " ")])
async def test_a_recovery_code_is_good_once_and_tells_how_many_are_left(site: Site, spelling: Any) -> None:
    kevin = await stepper(site)
    code = spelling(kevin.codes[0])
    got = await kevin.granted(await kevin.step(await kevin.needed(), "recovery", code))
    assert (got.session.level, got.session.methods) == (2, "pwd otp")
    (event,) = await site.events(tag=Tag.RECOVERY_USED)
    assert event.reason == "9"
    told = [message for message in await site.harness.messages() if message.template is Template.RECOVERY_USED]
    assert {(message.to, message.detail) for message in told} == {(PHONE, "9"), ("kevin@163.com", "9")}
    assert await kevin.step(await kevin.needed(), "recovery", code) == wrong(4)


@pytest.mark.attack("OT-10")
async def test_the_recovery_code_of_another_account_stays_unused(site: Site) -> None:
    kevin = await stepper(site)
    await site.harness.add_account("malory", password=PASSWORD)
    needed = await kevin.needed()
    stolen = Stepper(site, kevin.account, codes=["zzzz-zzzz-zzzz"])
    assert await stolen.step(needed, "recovery", stolen.codes[0]) == wrong(4)
    assert await site.store.read.recovery_codes.left(kevin.account.number) == 10


async def test_a_step_by_sms_is_for_apps_that_allow_it(site: Site) -> None:
    kevin = await stepper(site)
    needed = await kevin.needed()
    assert await site.flows.login.second_code(needed.ticket, kevin.origin()) == Denied(ProblemCode.FORBIDDEN)
    await site.harness.change_app(sms_step=True)
    needed = await kevin.needed()
    assert needed.methods == ("totp", "sms", "recovery")
    code = await sms_code(site, needed, kevin.origin())
    assert (await site.harness.messages())[-1].to == PHONE
    assert await kevin.step(needed, "sms", site.wrong(code)) == wrong(4)
    got = await kevin.granted(await kevin.step(needed, "sms", code, trust=True))
    assert (got.session.level, got.session.methods, got.trust) == (2, "pwd sms", "")


async def test_a_code_for_a_ticket_costs_what_each_code_costs(site: Site) -> None:
    kevin = await stepper(site)
    await site.harness.change_app(sms_step=True)
    needed = await kevin.needed()
    sent = await site.flows.login.second_code(needed.ticket, kevin.origin())
    assert not isinstance(sent, Denied)
    assert sent.masked == masked(PHONE)
    again = await site.flows.login.second_code(needed.ticket, kevin.origin())
    assert isinstance(again, Denied)
    assert again == Denied(PAUSED, again.retry_after)
    assert again.retry_after
    # The same count as of the codes that anybody asks for.
    other = await site.ask_code(PHONE)
    assert isinstance(other, Denied)
    assert other.code is PAUSED


@pytest.mark.attack("MF-12")
async def test_a_phone_that_began_a_login_does_not_complete_it(site: Site) -> None:
    kevin = await stepper(site)
    await site.harness.change_app(sms_step=True)
    origin = kevin.origin()
    needed = await site.try_code(await site.code(), origin=origin)
    assert isinstance(needed, StepNeeded)
    assert needed.methods == ("totp", "recovery")
    assert await site.flows.login.second_code(needed.ticket, origin) == Denied(ProblemCode.FORBIDDEN)
    # Not by a code for another ticket either: that one was begun by the password.
    site.clock.advance(MINUTE)
    code = await sms_code(site, await kevin.needed(), origin)
    assert await kevin.step(needed, "sms", code) == wrong(4)
    # Nor by the code that began it.
    assert await kevin.step(needed, "sms", await site.code(purpose=Purpose.LOGIN)) == TICKET_INVALID
    assert await site.sessions(kevin.account) == []


async def test_what_is_no_factor_of_the_account_is_a_wrong_step(site: Site) -> None:
    kevin = await stepper(site, recovery=False)
    needed = await kevin.needed()
    for left, factor in ((4, "passkey"), (3, "recovery"), (2, "specimen"), (1, "\x00"), (0, "")):
        assert await kevin.step(needed, factor, kevin.totp()) == wrong(left)
    assert await kevin.by_totp(needed) == TICKET_INVALID
    reasons = [event.reason for event in await site.events(tag=Tag.STEP_FAILED)]
    assert sorted(reasons) == ["passkey", "recovery", "unknown", "unknown", "unknown"]


@pytest.mark.attack("OT-9")
async def test_a_code_of_the_app_is_good_once_over_all_tickets(site: Site) -> None:
    kevin = await stepper(site)
    code = kevin.totp()
    one, other = await kevin.needed(), await kevin.needed()
    await kevin.granted(await kevin.step(one, "totp", code))
    assert await kevin.step(other, "totp", code) == wrong(4)
    assert await kevin.step(other, "totp", kevin.totp(-1)) == wrong(3)
    await kevin.granted(await kevin.step(other, "totp", kevin.totp(1)))


@pytest.mark.attack("LG-3")
async def test_the_secret_of_another_account_proves_nothing(site: Site) -> None:
    kevin = await stepper(site)
    eve = await site.harness.add_account("malory", password=PASSWORD)
    sealed = (await site.store.read.factors.list_of(kevin.account.number))[0].sealed
    await site.store.write(lambda tx: tx.factors.begin(eve.number, "totp", sealed, site.clock.now() + 1000))
    await site.store.write(lambda tx: tx.factors.confirm(eve.number, "totp", sealed, counter=0, now=site.clock.now()))
    await site.store.write(lambda tx: tx.accounts.change_factors(eve.number, now=site.clock.now(), second_step=True))
    needed = await site.try_password("malory")
    assert isinstance(needed, StepNeeded)
    assert await kevin.by_totp(needed) == wrong(4)


# --- bindings ---------------------------------------------------------------------------------------------------------


@pytest.mark.attack("MF-1")
async def test_a_ticket_is_for_its_app_dialect_device_and_network(site: Site) -> None:
    kevin = await stepper(site)
    other_app = await site.harness.add_app("other")
    needed, phone = await kevin.needed(), await kevin.needed(kevin.origin(device="phone-1"))
    strangers = [
        (needed, kevin.origin(app=other_app)),
        (needed, kevin.origin(rules=CAREYSHOP)),
        (needed, kevin.origin(device="phone-1")),
        (needed, kevin.origin(AWAY)),
        (phone, kevin.origin(device="phone-2")),
        (phone, kevin.origin()),
        (phone, kevin.origin(app=other_app, device="phone-1")),
    ]
    for ticket, origin in strangers:
        assert await kevin.by_totp(ticket, origin) == TICKET_INVALID
        assert await site.flows.login.second_options(ticket.ticket, origin) == TICKET_INVALID
        assert await site.flows.login.second_code(ticket.ticket, origin) == TICKET_INVALID
    # Nothing of it was counted or used up.
    await kevin.granted(await kevin.by_totp(needed))
    assert await site.events(tag=Tag.STEP_FAILED) == []


@pytest.mark.attack("MF-1")
async def test_a_ticket_of_a_browser_needs_its_cookie(site: Site) -> None:
    kevin = await stepper(site)
    needed = await kevin.needed(kevin.origin(browser=True))
    assert len(needed.cookie) == 26
    planted = await kevin.needed(kevin.origin(browser=True))
    for origin in (
        kevin.origin(), kevin.origin(browser=True), kevin.origin(browser=True, cookie=planted.cookie),
        kevin.origin(browser=True, cookie=needed.ticket),
    ):  # fmt: skip
        assert await kevin.by_totp(needed, origin) == TICKET_INVALID
    await kevin.granted(await kevin.by_totp(needed, kevin.origin(browser=True, cookie=needed.cookie)))


async def test_a_phone_that_changed_its_network_is_judged_and_noted(site: Site) -> None:
    kevin = await stepper(site)
    needed = await kevin.needed(kevin.origin(HOME, device="phone"))
    got = await kevin.granted(await kevin.by_totp(needed, kevin.origin(AWAY, device="phone"), trust=True))
    assert got.trust == ""
    assert await site.store.read.trusted_devices.list_of(kevin.account.number, site.clock.now()) == []
    (event,) = await site.events(tag=Tag.STEP_ELSEWHERE)
    assert (event.session_id, event.ip) == (got.session.session_id, AWAY)


@pytest.mark.attack("TK-6", "TK-8")
async def test_a_ticket_is_no_token_and_a_token_no_ticket(site: Site) -> None:
    kevin = await stepper(site)
    needed = await kevin.needed()
    assert isinstance(await site.flows.sessions.authenticate(needed.ticket), Denied)
    assert await site.flows.sessions.check(needed.ticket) is None
    assert isinstance(await site.flows.login.refresh(needed.ticket, needed.ticket, kevin.origin()), Denied)
    granted = await kevin.granted(await kevin.by_totp(needed))
    for token in (granted.token, granted.csrf, "", "\ud800", "x" * 4096):
        assert await kevin.step(token, "totp", kevin.totp(1)) == TICKET_INVALID


async def test_a_ticket_lives_five_minutes_from_the_first_proof(site: Site) -> None:
    kevin = await stepper(site)
    needed = await kevin.needed()
    site.clock.advance(300 * SECOND - 1)
    assert await kevin.step(needed, "totp", kevin.wrong_totp()) == wrong(4)
    site.clock.advance(1)
    assert await kevin.by_totp(needed) == TICKET_INVALID


async def test_the_fourth_ticket_of_a_network_ends_the_oldest(site: Site) -> None:
    kevin = await stepper(site)
    tickets = []
    for _ in range(4):
        tickets.append(await kevin.needed())
        site.clock.advance(SECOND)
    assert await kevin.by_totp(tickets[0]) == TICKET_INVALID
    await kevin.granted(await kevin.by_totp(tickets[1]))


@pytest.mark.attack("MF-7")
@pytest.mark.parametrize("change", ["password", "factors", "disabled", "closed", "ended", "restored", "step_off"])
async def test_a_change_meanwhile_ends_the_ticket(site: Site, change: str) -> None:
    kevin = await stepper(site)
    needed, number, now = await kevin.needed(), kevin.account.number, site.clock.now()

    async def work(tx: Any) -> None:
        match change:
            case "password":
                await tx.accounts.set_password(number, "x", now=now)
            case "factors":
                await tx.accounts.change_factors(number, now=now)
            case "step_off":
                await tx.accounts.change_factors(number, now=now, second_step=False)
            case "ended":
                await tx.pending_logins.end_all(number)
            case _:
                await tx.upkeep.raise_epoch(now)

    if change == "disabled":
        await site.harness.disable("kevin")
    elif change == "closed":
        await site.harness.close_account("kevin")
    else:
        await site.store.write(work)
    assert await kevin.by_totp(needed) == TICKET_INVALID
    assert await site.sessions(kevin.account) == []
    # The code was not even looked at.
    assert [factor.counter for factor in await site.store.read.factors.list_of(number)] == [0]


@pytest.mark.attack("MF-7")
async def test_a_change_between_the_two_transactions_opens_nothing(site: Site) -> None:
    kevin = await stepper(site)
    for end in ("password", "factors", "taken"):
        needed = await kevin.needed()
        write, turns = site.store.write, iter(range(1, 99))

        async def overtaken(work: Any, end: str = end, write: Any = write, turns: Any = turns) -> Any:
            if next(turns) == 2:
                number, now = kevin.account.number, site.clock.now()

                async def rival(tx: Any) -> None:
                    if end == "password":
                        await tx.accounts.set_password(number, kevin.account.password_hash, now=now)
                    elif end == "factors":
                        await tx.accounts.change_factors(number, now=now)
                    else:
                        await tx.pending_logins.end_all(number)

                await write(rival)
            return await write(work)

        behind = site.over(store=Substitute(site.store, write=overtaken))
        assert await kevin.by_totp(needed, node=behind) == TICKET_INVALID
        # The code stays used.
        kevin_again = await kevin.needed()
        assert await kevin.step(kevin_again, "totp", kevin.totp()) == wrong(4)
        kevin.pass_step()
    assert await site.sessions(kevin.account) == []


# --- who has no factor yet --------------------------------------------------------------------------------------------


@pytest.mark.attack("MF-10")
async def test_the_ticket_of_an_enrolment_takes_no_step(site: Site) -> None:
    kevin = Stepper(site, await site.kevin())
    await site.harness.change_app(second_factor=SecondFactorRule.REQUIRED, sms_step=False)
    needed = await kevin.needed()
    assert (needed.enroll, needed.methods, needed.phone) == (True, (), masked(PHONE))
    for factor in ("totp", "passkey", "recovery", "sms"):
        assert await kevin.step(needed, factor, "123456") == TICKET_INVALID
    assert await site.flows.login.second_options(needed.ticket, kevin.origin()) == TICKET_INVALID
    ask = PasswordLogin("kevin", PASSWORD, second_code="123456")
    beside = await site.flows.login.password(ask, kevin.origin())
    assert isinstance(beside, StepNeeded)
    assert (beside.enroll, beside.refused) == (True, None)
    # The code to the phone, which allows the enrolment, takes no step either.
    code = await sms_code(site, needed, kevin.origin())
    assert await kevin.step(needed, "sms", code) == TICKET_INVALID


async def test_who_began_by_a_code_to_the_phone_enrols_without_another_one(site: Site) -> None:
    kevin = Stepper(site, await site.kevin())
    await site.harness.change_app(second_factor=SecondFactorRule.REQUIRED)
    needed = await site.try_code(await site.code(), origin=kevin.origin())
    assert isinstance(needed, StepNeeded)
    assert (needed.enroll, needed.phone) == (True, "")
    got = await site.flows.login.second_code(needed.ticket, kevin.origin())
    assert got == Denied(ProblemCode.FORBIDDEN)
