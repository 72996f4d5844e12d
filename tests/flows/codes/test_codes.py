"""One-time codes: what they cost to send, whom they are bound to, how often they may be tried."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from menshen.core.account.asks import Bind, PasswordReset
from menshen.core.apps import App
from menshen.core.audit.events import Tag
from menshen.core.codes.asks import CodeSent, CodeTry, SendCode
from menshen.core.codes.messages import Channel, Template
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.identifiers import Kind
from menshen.core.login.asks import CodeLogin, CodeSignup
from menshen.core.login.outcomes import Granted
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import DAY, HOUR, MINUTE, SECOND
from tests.flows.site import AWAY, CAREYSHOP, EMAIL, NEW, OTHER_PHONE, PASSWORD, PHONE, Site, open_site
from tests.substitutes import failing_write

WRONG_CODE = Denied(ProblemCode.WRONG_CODE)


def waits(outcome: Any) -> int | None:
    assert isinstance(outcome, Denied), outcome
    assert outcome.code is ProblemCode.TOO_MANY_REQUESTS, outcome
    return outcome.retry_after


# --- sending ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", list(Purpose))
async def test_a_code_goes_to_its_number_with_its_purpose(site: Site, purpose: Purpose) -> None:
    assert await site.ask_code(purpose=purpose) == CodeSent()
    (message,) = await site.harness.messages()
    assert (message.channel, message.to, message.language) == (Channel.SMS, PHONE, "zh")
    assert message.template is Template[f"CODE_{purpose.name}"]
    assert len(message.code) == 6
    assert message.code.isdigit()
    (event,) = await site.events()
    assert (event.tag, event.reason, event.subject) == (Tag.CODE_SENT, purpose.value, "135****5662")
    assert message.code not in repr(event)


async def test_a_code_goes_by_mail_too(site: Site) -> None:
    assert await site.ask_code(EMAIL, origin=site.origin(language="en")) == CodeSent()
    (message,) = await site.harness.messages()
    assert (message.channel, message.to, message.language) == (Channel.EMAIL, EMAIL, "en")


@pytest.mark.attack("EN-5")
async def test_known_and_unknown_numbers_are_told_the_same(site: Site) -> None:
    await site.kevin()
    await site.harness.add_account("gone", phone="13900139000", password="x")
    await site.harness.disable("gone")
    for subject in (PHONE, OTHER_PHONE, "+8613900139000"):
        before = len(await site.harness.events())
        assert await site.ask_code(subject, origin=site.elsewhere()) == CodeSent()
        (event,) = (await site.harness.events())[before:]
        assert (event.tag, event.account_number) == (Tag.CODE_SENT, None)
    # The carrier is asked after the answer, so its time is in no answer.
    assert [message.sent_at for message in await site.store.read.outbox.list_all()] == [0] * 3


@pytest.mark.attack("OT-18")
async def test_sending_costs_a_captcha_once(site: Site) -> None:
    ask = SendCode(Kind.PHONE, PHONE, Purpose.LOGIN, None)
    asked = await site.flows.codes.send(ask, site.origin())
    assert isinstance(asked, Denied)
    assert (asked.code, asked.challenge is not None) == (ProblemCode.CAPTCHA_REQUIRED, True)
    captcha = await site.captcha()
    assert await site.flows.codes.send(replace(ask, captcha=captcha), site.origin()) == CodeSent()
    again = await site.flows.codes.send(replace(ask, subject=OTHER_PHONE, captcha=captcha), site.origin())
    assert isinstance(again, Denied)
    assert again.code is ProblemCode.CAPTCHA_INVALID
    foreign = await site.captcha(site.origin(AWAY))
    stolen = await site.flows.codes.send(replace(ask, subject=OTHER_PHONE, captcha=foreign), site.origin())
    assert isinstance(stolen, Denied)
    assert stolen.code is ProblemCode.CAPTCHA_INVALID
    assert len(await site.harness.messages()) == 1


@pytest.mark.attack("OT-11")
@pytest.mark.parametrize("subject", ["+85291234567", "+16502530000", "+861062345678", "+8612345678"])
async def test_only_mobiles_of_allowed_countries_get_codes(site: Site, subject: str) -> None:
    for purpose in (Purpose.LOGIN, Purpose.VERIFY):
        assert await site.ask_code(subject, purpose) == Denied(ProblemCode.COUNTRY_NOT_ALLOWED, field="phone")
    assert await site.harness.messages() == []


@pytest.mark.attack("OT-12")
async def test_a_number_gets_1_a_minute_5_an_hour_10_a_day(site: Site) -> None:
    """Over all purposes, apps, dialects and networks. (docs/security/attacks.md OT-12.)"""
    app = await site.harness.add_app("second")
    purposes = list(Purpose)

    async def ask(n: int) -> Any:
        origin = site.elsewhere(CAREYSHOP if n % 2 else site.origin().rules)
        return await site.ask_code(purpose=purposes[n % 6], origin=replace(origin, app=app if n % 3 else origin.app))

    start = site.clock.now()
    assert await ask(0) == CodeSent()
    site.clock.advance(59 * SECOND)
    assert waits(await ask(1)) == 1
    for n in range(2, 6):
        site.clock.at = start + (n - 1) * MINUTE
        assert await ask(n) == CodeSent()
    site.clock.at = start + 5 * MINUTE
    assert waits(await ask(6)) == 55 * 60
    for n in range(5):
        site.clock.at = start + HOUR + n * MINUTE
        assert await ask(n) == CodeSent()
    site.clock.at = start + 3 * HOUR
    assert waits(await ask(0)) == 21 * 3600
    site.clock.at = start + DAY
    assert await ask(0) == CodeSent()


@pytest.mark.attack("OT-11")
async def test_a_network_gets_10_an_hour(site: Site) -> None:
    numbers = [f"+8613{n}00138000" for n in range(10)] + ["+8618600138000"]
    for number in numbers[:10]:
        assert await site.ask_code(number) == CodeSent()
    assert waits(await site.ask_code(numbers[10])) == 3600
    assert await site.ask_code(numbers[10], origin=site.origin(AWAY)) == CodeSent()
    refused = await site.events(tag=Tag.CODE_REFUSED)
    assert [event.reason for event in refused] == ["login:not_sent"]


async def test_a_refused_request_costs_no_quota(site: Site) -> None:
    for _ in range(5):
        ask = SendCode(Kind.PHONE, PHONE, Purpose.LOGIN, None)
        assert isinstance(await site.flows.codes.send(ask, site.origin()), Denied)
    assert await site.ask_code() == CodeSent()


@pytest.mark.attack("OT-11")
@pytest.mark.parametrize("scope", ["all", "app", "country"])
async def test_a_days_budget_tells_when_half_is_gone_and_stops_when_it_is_spent(folder: Any, scope: str) -> None:
    limits: dict[str, Any] = {"all": {"send_budget_per_day": 4}, "country": {"send_budget_per_country": 4}, "app": {}}
    limits = limits[scope]
    async with open_site(folder, **limits) as site:
        if scope == "app":
            await site.harness.change_app(sms_per_day=4)
        numbers = [f"+8613{n}00138000" for n in range(8)]

        async def ask(number: str) -> Any:
            return await site.ask_code(number, origin=site.elsewhere())

        for n, number in enumerate(numbers[:4]):
            assert await ask(number) == CodeSent()
            assert len(await site.events(tag=Tag.CODE_BUDGET_HALF)) == (n >= 1)
        site.clock.advance(HOUR)
        for number in numbers[4:7]:
            assert waits(await ask(number)) == 23 * 3600
        spent = await site.events(tag=Tag.CODE_BUDGET_SPENT)
        assert len(spent) == 1
        assert spent[0].reason == {"all": "all", "app": "app:1", "country": "country:+86"}[scope]
        if scope == "app":
            other = await site.harness.add_app("second")
            assert await site.ask_code(numbers[7], origin=replace(site.elsewhere(), app=other)) == CodeSent()
        if scope == "country":
            assert await site.ask_code(EMAIL, origin=site.elsewhere()) == CodeSent()
        site.clock.advance(23 * HOUR)
        assert await ask(numbers[0]) == CodeSent()


@pytest.mark.attack("OT-11")
async def test_where_codes_do_not_come_back_sending_becomes_hard(folder: Any) -> None:
    async with open_site(folder, prefix_watch_from=3) as site:
        numbers = [f"+861354428{n:04}" for n in range(8)]
        for number in numbers[:3]:
            assert await site.ask_code(number, origin=site.elsewhere()) == CodeSent()
        (told,) = await site.events(tag=Tag.CODE_PREFIX_PUMPED)
        assert told.reason == "+861354428:0/3"
        origin = site.elsewhere()
        easy = SendCode(Kind.PHONE, numbers[3], Purpose.LOGIN, await site.captcha(origin, difficulty=3))
        refused = await site.flows.codes.send(easy, origin)
        assert isinstance(refused, Denied)
        assert refused.challenge
        assert refused.challenge["parameters"]["data"]["difficulty"] == 4
        # The refusal did not spend the pass.
        assert await site.flows.codes.send(replace(easy, subject=OTHER_PHONE), origin) == CodeSent()
        assert await site.ask_code(numbers[3], origin=site.elsewhere()) == CodeSent()
        # Who shows no captcha at all is refused there.
        assert waits(await site.ask_code(numbers[4], Purpose.VERIFY, site.elsewhere())) == 3600
        assert await site.ask_code("+8613900139000", Purpose.VERIFY, site.elsewhere()) == CodeSent()


@pytest.mark.attack("OT-11")
async def test_where_codes_come_back_sending_stays_easy(folder: Any) -> None:
    async with open_site(folder, prefix_watch_from=3) as site:
        for n in range(6):
            await site.login_code(f"+861354428{n:04}")
        assert await site.events(tag=Tag.CODE_PREFIX_PUMPED) == []


@pytest.mark.attack("OT-11")
async def test_what_one_budget_refuses_is_not_counted_in_another(folder: Any) -> None:
    environ = {"MENSHEN_SMS__COUNTRIES": '["+86", "+852"]', "MENSHEN_SMS__COUNTRY_BUDGETS": '{"+852": 4}'}
    async with open_site(folder, environ, send_budget_per_day=12) as site:
        shop = await site.harness.add_app("shop", sms_per_day=2)

        async def sent(number: str, app: App) -> bool:
            return await site.ask_code(number, origin=replace(site.elsewhere(), app=app)) == CodeSent()

        default = site.harness.app
        assert [await sent(f"+8613{n}00138000", shop) for n in range(4)] == [True] * 2 + [False] * 2
        assert [await sent(f"+8529123456{n}", default) for n in range(6)] == [True] * 4 + [False] * 2
        assert [await sent(f"+8613{n}00139000", default) for n in range(8)] == [True] * 6 + [False] * 2


async def test_a_reviewers_number_gets_no_message_and_has_its_code(folder: Any) -> None:
    environ = {"MENSHEN_SMS__TEST_NUMBERS": f'{{"{PHONE}": {{"code": "246802", "until": "2100-06-30"}}}}'}
    async with open_site(folder, environ) as site:
        assert await site.ask_code() == CodeSent()
        assert await site.harness.messages() == []
        assert await site.try_code("246803") == WRONG_CODE
        assert isinstance(await site.try_code("246802"), Granted)
        assert isinstance(await site.try_code("246802"), Granted)
        used = await site.events(tag=Tag.TEST_NUMBER_USED)
        assert [event.reason for event in used] == ["login", "login"]
        for _ in range(19):
            assert await site.try_code("246803", origin=site.elsewhere()) == WRONG_CODE
        assert waits(await site.try_code("246802")) == 3600
        site.clock.advance(300 * DAY)
        assert await site.try_code("246802") == WRONG_CODE


async def test_a_reviewers_typing_error_costs_no_second_captcha(folder: Any) -> None:
    environ = {"MENSHEN_SMS__TEST_NUMBERS": f'{{"{PHONE}": {{"code": "246802", "until": "2100-06-30"}}}}'}
    async with open_site(folder, environ) as site:
        captcha = await site.captcha()
        assert (
            await site.flows.codes.send(SendCode(Kind.PHONE, PHONE, Purpose.LOGIN, captcha), site.origin())
            == CodeSent()
        )
        for code in ("246803", "246804"):
            assert await site.flows.login.code(CodeLogin(PHONE, code, captcha), site.origin()) == WRONG_CODE
        assert isinstance(await site.flows.login.code(CodeLogin(PHONE, "246802", captcha), site.origin()), Granted)


# --- trying -----------------------------------------------------------------------------------------------------------


@pytest.mark.attack("OT-5")
async def test_a_code_is_good_once(site: Site) -> None:
    code = await site.code()
    assert isinstance(await site.try_code(code), Granted)
    assert await site.try_code(code) == WRONG_CODE


@pytest.mark.attack("OT-1", "OT-7")
async def test_five_wrong_tries_kill_a_code_from_wherever_they_come(site: Site) -> None:
    """Other addresses, devices and apps make no difference. (docs/security/attacks.md OT-1, OT-7.)"""
    code = await site.code()
    for n in range(5):
        origin = replace(site.elsewhere(), device=site.origin(device=f"d{n}").device)
        assert await site.try_code(site.wrong(code), origin=origin) == WRONG_CODE
    assert await site.try_code(code) == WRONG_CODE
    assert await site.try_code(code, origin=site.elsewhere()) == WRONG_CODE


@pytest.mark.attack("OT-2")
@pytest.mark.parametrize(("past", "good"), [(-1, True), (0, False), (1, False)])
async def test_a_code_lives_300_seconds(site: Site, past: int, good: bool) -> None:
    code = await site.code()
    site.clock.advance(300 * SECOND + past)
    assert isinstance(await site.try_code(code), Granted) is good


@pytest.mark.attack("OT-4")
async def test_only_the_newest_code_is_good(site: Site) -> None:
    older = await site.code()
    newer = await site.code()
    if older != newer:
        assert await site.try_code(older) == WRONG_CODE
    assert isinstance(await site.try_code(newer), Granted)


@pytest.mark.attack("OT-8")
@pytest.mark.parametrize(
    "spoil",
    [lambda c: c + "\n", lambda c: " " + c, lambda c: c + " ", lambda c: "+" + c, lambda c: c[:3] + " " + c[3:],
     lambda c: c.translate(str.maketrans("0123456789", "０１２３４５６７８９")), lambda c: c[:-1], lambda _: "",
     lambda c: c + "0", lambda c: c + "\0", lambda _: "\ud800", lambda c: c + "\u200b", lambda c: "0" + c,
     lambda c: c[:3] + "_" + c[3:], lambda c: c.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))],
    ids=range(15),
)  # fmt: skip
async def test_variants_of_a_code_are_wrong_and_counted(site: Site, spoil: Any) -> None:
    """(docs/security/attacks.md OT-8.)"""
    code = await site.code()
    for _ in range(5):
        assert await site.try_code(spoil(code)) == WRONG_CODE
    assert await site.try_code(code) == WRONG_CODE


@pytest.mark.attack("OT-3")
async def test_a_number_has_20_tries_an_hour_surviving_new_codes(site: Site) -> None:
    """Over all codes, purposes, apps and networks. (docs/security/attacks.md OT-3.)"""
    app = await site.harness.add_app("second")

    async def guess(n: int, code: str) -> Any:
        origin = replace(site.elsewhere(), app=app if n % 2 else site.harness.app)
        if n % 3:
            return await site.try_code(site.wrong(code), origin=origin)
        ask = CodeTry(Kind.PHONE, PHONE, Purpose.VERIFY, site.wrong(code))
        return await site.flows.codes.verify(ask, origin)

    start = site.clock.now()
    for n in range(20):
        if n % 4 == 0:
            site.clock.at = start + n * MINUTE
            await site.ask_code(origin=site.elsewhere())
        assert (await guess(n, "000000")).code in {ProblemCode.WRONG_CODE, ProblemCode.CODE_EXPIRED}
    await site.ask_code(purpose=Purpose.RESET, origin=site.elsewhere())
    code = (await site.harness.messages())[-1].code
    assert waits(await site.try_code(code)) == 44 * 60
    assert isinstance(await site.try_code(await other_code(site), OTHER_PHONE), Granted)
    site.clock.at = start + HOUR
    await site.ask_code(origin=site.elsewhere())
    code = (await site.harness.messages())[-1].code
    assert isinstance(await site.try_code(code), Granted)


async def other_code(site: Site) -> str:
    await site.ask_code(OTHER_PHONE, origin=site.elsewhere())
    return (await site.harness.messages())[-1].code


async def test_right_codes_use_up_no_tries(site: Site) -> None:
    start = site.clock.now()
    for n in range(19):
        if n % 5 == 0:
            site.clock.at = start + n * MINUTE
            await site.ask_code(origin=site.elsewhere())
        await site.try_code("", origin=site.elsewhere())
    code = (await site.harness.messages())[-1].code
    assert isinstance(await site.try_code(code), Granted)
    assert await site.try_code(code) == WRONG_CODE
    assert waits(await site.try_code(code)) == 45 * 60


def bindings(app: App) -> list[tuple[str, str, Purpose, App | None]]:
    return [
        ("other number", OTHER_PHONE, Purpose.LOGIN, None),
        ("other app", PHONE, Purpose.LOGIN, app),
        ("reset", PHONE, Purpose.RESET, None),
        ("signup", PHONE, Purpose.SIGNUP, None),
        ("verify", PHONE, Purpose.VERIFY, None),
        ("other app and purpose", PHONE, Purpose.BIND, app),
    ]


@pytest.mark.attack("OT-5")
async def test_a_code_is_bound_to_number_purpose_and_app(site: Site) -> None:
    app = await site.harness.add_app("second")
    await site.kevin()
    for name, subject, purpose, other in bindings(app):
        code = await site.code(subject, purpose, replace(site.origin(), app=other or site.harness.app))
        assert await site.try_code(code) == WRONG_CODE, name
        site.clock.advance(HOUR)


@pytest.mark.attack("OT-5")
@pytest.mark.parametrize("sent_for", [Purpose.LOGIN, Purpose.SIGNUP, Purpose.RESET, Purpose.BIND])
async def test_a_code_serves_its_own_purpose_alone(site: Site, sent_for: Purpose) -> None:
    await site.kevin()
    caller = await site.caller(await site.login())

    async def attempt(purpose: Purpose, code: str) -> Any:
        captcha = await site.captcha()
        match purpose:
            case Purpose.LOGIN:
                return await site.flows.login.code(CodeLogin(PHONE, code, captcha), site.origin())
            case Purpose.SIGNUP:
                return await site.flows.login.sign_up(CodeSignup(PHONE, code, NEW, captcha), site.origin())
            case Purpose.RESET:
                ask = PasswordReset(Kind.PHONE, PHONE, purpose, code, NEW, captcha=captcha)
                return await site.flows.account.reset_password(ask, site.origin())
            case _:
                return await site.flows.account.bind(
                    Bind(Kind.PHONE, PHONE, code, password=PASSWORD), caller, site.origin()
                )

    code = await site.code(purpose=sent_for)
    for purpose in (Purpose.LOGIN, Purpose.SIGNUP, Purpose.RESET, Purpose.BIND):
        if purpose is not sent_for:
            assert await attempt(purpose, code) == WRONG_CODE, purpose
    assert await verify(site, code) == WRONG_CODE
    assert await attempt(sent_for, code) != WRONG_CODE


async def test_a_wrong_try_is_audited_with_its_purpose(site: Site) -> None:
    code = await site.code()
    await site.try_code(site.wrong(code))
    (event,) = await site.events(tag=Tag.CODE_REFUSED)
    assert (event.reason, event.subject) == ("login:wrong_code", "135****5662")
    assert code not in repr(event)
    assert site.wrong(code) not in repr(event)


async def test_a_code_is_spent_even_if_the_session_cannot_be_opened(site: Site) -> None:
    """Burn before grant. (decision 0003.)"""
    code = await site.code()
    broken = site.over(store=failing_write(site.store, 2, RuntimeError("power cut")))
    with pytest.raises(RuntimeError):
        await broken.try_code(code)
    assert await site.try_code(code) == WRONG_CODE
    assert await site.store.read.accounts.find(1) is None


# --- the captcha of a call that brings a code -------------------------------------------------------------------------


async def test_the_captcha_a_code_was_sent_with_is_good_for_its_tries(site: Site) -> None:
    captcha = await site.captcha()
    await site.flows.codes.send(SendCode(Kind.PHONE, PHONE, Purpose.LOGIN, captcha), site.origin())
    code = (await site.harness.messages())[-1].code
    for _ in range(4):
        assert await site.flows.login.code(CodeLogin(PHONE, site.wrong(code), captcha), site.origin()) == WRONG_CODE
    assert isinstance(await site.flows.login.code(CodeLogin(PHONE, code, captcha), site.origin()), Granted)


async def test_another_captcha_is_spent_and_good_once(site: Site) -> None:
    code = await site.code()
    captcha = await site.captcha()
    origin: Origin = site.origin()
    assert await site.flows.login.code(CodeLogin(PHONE, site.wrong(code), captcha), origin) == WRONG_CODE
    refused = await site.flows.login.code(CodeLogin(PHONE, code, captcha), origin)
    assert isinstance(refused, Denied)
    assert refused.code is ProblemCode.CAPTCHA_INVALID
    # Refused before the code was looked at: it is still good.
    assert isinstance(await site.try_code(code), Granted)


async def test_the_captcha_of_one_numbers_code_is_nothing_to_another(site: Site) -> None:
    captcha = await site.captcha()
    await site.flows.codes.send(SendCode(Kind.PHONE, PHONE, Purpose.LOGIN, captcha), site.origin())
    await other_code(site)
    code = (await site.harness.messages())[-1].code
    # As a pass it is good once more, for this action.
    for expected in (WRONG_CODE.code, ProblemCode.CAPTCHA_INVALID):
        outcome = await site.flows.login.code(CodeLogin(OTHER_PHONE, site.wrong(code), captcha), site.origin())
        assert isinstance(outcome, Denied)
        assert outcome.code is expected


# --- told right now, consumed later -----------------------------------------------------------------------------------


async def verify(site: Site, code: str, subject: str = PHONE, origin: Origin | None = None) -> Any:
    kind = Kind.EMAIL if "@" in subject else Kind.PHONE
    return await site.flows.codes.verify(
        CodeTry(kind, subject, Purpose.VERIFY, code), origin or site.origin(rules=CAREYSHOP)
    )


async def use(site: Site, subject: str = PHONE, origin: Origin | None = None) -> Any:
    return await site.flows.codes.use(subject, None, origin or site.origin(rules=CAREYSHOP))


@pytest.mark.attack("SG-3")
async def test_a_code_is_verified_once_and_used_once(site: Site) -> None:
    expired = Denied(ProblemCode.CODE_EXPIRED)
    assert await verify(site, "123456") == WRONG_CODE
    assert await use(site) == expired
    code = await site.code(purpose=Purpose.VERIFY)
    assert await use(site) == expired
    assert await verify(site, site.wrong(code)) == WRONG_CODE
    assert await verify(site, code) == Done()
    assert await verify(site, code) == expired
    assert await use(site) == Done()
    assert await use(site) == expired
    assert await verify(site, code) == expired
    assert Tag.CODE_VERIFIED in await site.tags()


@pytest.mark.attack("OT-17")
async def test_nobody_elsewhere_burns_a_verified_code(site: Site) -> None:
    """(docs/security/attacks.md OT-17.)"""
    code = await site.code(purpose=Purpose.VERIFY)
    assert await verify(site, code) == Done()
    assert await use(site, origin=site.origin(AWAY, CAREYSHOP)) == Denied(ProblemCode.CODE_EXPIRED)
    # Nor does it prove the claim of somebody elsewhere.
    await site.harness.add_account("claimant", phone=PHONE, password=PASSWORD, verified=False)
    away = site.origin(AWAY, CAREYSHOP)
    claimant = await site.caller(await site.login("claimant", origin=away))
    assert await site.flows.codes.use(PHONE, claimant, away) == Denied(ProblemCode.CODE_EXPIRED)
    assert await use(site) == Done()


async def test_a_verified_code_expires_and_a_newer_one_ends_it(site: Site) -> None:
    code = await site.code(EMAIL, purpose=Purpose.VERIFY)
    assert await verify(site, code, EMAIL) == Done()
    site.clock.advance(300 * SECOND)
    assert await use(site, EMAIL) == Denied(ProblemCode.CODE_EXPIRED)
    code = await site.code(EMAIL, purpose=Purpose.VERIFY)
    assert await verify(site, code, EMAIL) == Done()
    await site.code(EMAIL, purpose=Purpose.VERIFY)
    assert await use(site, EMAIL) == Denied(ProblemCode.CODE_EXPIRED)


@pytest.mark.attack("OT-2")
async def test_where_no_captcha_stands_before_it_a_network_has_120_tries_an_hour(site: Site) -> None:
    for n in range(120):
        assert await verify(site, "123456", f"+86138{n:08}") == WRONG_CODE
    assert waits(await verify(site, "123456", PHONE)) == 3600
    assert await verify(site, "123456", PHONE, site.origin(AWAY)) == WRONG_CODE
