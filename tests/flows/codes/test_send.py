"""Sending codes: what it costs, to whom they go, and where it ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from menshen.core.apps import App
from menshen.core.audit.events import Tag
from menshen.core.codes.asks import CodeSent, SendCode
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.delivery.messages import Channel, Template
from menshen.core.gates.captcha import CaptchaTicket
from menshen.core.identifiers import Kind
from menshen.core.login.asks import CodeLogin
from menshen.core.login.outcomes import Granted
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import DAY, HOUR, MINUTE, SECOND
from tests.flows.site import AWAY, CAREYSHOP, EMAIL, OTHER_PHONE, PHONE, Site, open_site, waits
from tests.substitutes import store_with

WRONG_CODE = Denied(ProblemCode.WRONG_CODE)


async def test_a_code_for_a_second_step_is_sent_for_a_ticket_only(site: Site) -> None:
    await site.kevin()
    assert await site.ask_code(purpose=Purpose.STEP) == Denied(ProblemCode.FORBIDDEN)
    assert await site.harness.messages() == []


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if purpose is not Purpose.STEP])
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
        # Where else none is needed, one is asked for. The next question says so.
        where = site.elsewhere(CAREYSHOP)
        assert await site.flows.captcha.image(where) == CaptchaTicket("")
        bare = SendCode(Kind.PHONE, numbers[4], Purpose.VERIFY, None)
        refused = await site.flows.codes.send(bare, where)
        assert isinstance(refused, Denied)
        assert refused.code is ProblemCode.CAPTCHA_REQUIRED
        ticket = await site.flows.captcha.image(where)
        assert isinstance(ticket, CaptchaTicket)
        assert ticket.session_id
        assert await site.flows.codes.send(replace(bare, captcha=await site.captcha(where)), where) == CodeSent()
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
        # A fifth of a budget is for numbers of accounts.
        for n in range(8):
            await site.harness.add_account(f"owner{n}", phone=f"+8613{n}00139000", password=None)
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


@pytest.mark.attack("OT-11")
async def test_a_budget_whose_day_begins_anew_between_look_and_charge_is_a_refusal(site: Site) -> None:
    """On PostgreSQL another request may begin it there."""

    async def full(*_: Any) -> int:
        return site.flows.policy.limits.send_budget_per_day

    raced = site.over(store=store_with(site.store, counters={"peek": full}))
    assert waits(await raced.ask_code()) == 1
    assert await site.harness.messages() == []
