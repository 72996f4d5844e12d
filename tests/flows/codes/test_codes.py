"""One-time codes: whom they are bound to, and how often they may be tried."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from menshen.core.account.asks import Bind, PasswordReset
from menshen.core.apps import App
from menshen.core.audit.events import Tag
from menshen.core.codes.asks import CodeSent, CodeTry, SendCode
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.identifiers import Kind
from menshen.core.login.asks import CodeLogin, CodeSignup
from menshen.core.login.outcomes import Granted
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import HOUR, MINUTE, SECOND
from tests.flows.site import NEW, OTHER_PHONE, PASSWORD, PHONE, Site, open_site, waits
from tests.substitutes import failing_write

WRONG_CODE = Denied(ProblemCode.WRONG_CODE)


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
        origin = replace(site.elsewhere() if n < 3 else site.origin(), device=site.origin(device=f"d{n}").device)
        assert await site.try_code(site.wrong(code), origin=origin) == WRONG_CODE
    assert await site.try_code(code) == WRONG_CODE
    assert await site.try_code(code, origin=site.elsewhere()) == WRONG_CODE


@pytest.mark.attack("OT-1", "OT-19")
async def test_others_use_up_three_of_five_tries_and_who_asked_has_the_rest(site: Site) -> None:
    code = await site.code()
    for _ in range(30):
        assert await site.try_code(site.wrong(code), origin=site.elsewhere()) == WRONG_CODE
    assert await site.try_code(code, origin=site.elsewhere()) == WRONG_CODE
    assert await site.try_code(site.wrong(code)) == WRONG_CODE
    assert isinstance(await site.try_code(code), Granted)


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
    [lambda c: "+" + c, lambda c: "-" + c, lambda c: c + "-", lambda c: c[:3] + "." + c[3:], lambda c: c[:-1],
     lambda _: "", lambda c: c + "0", lambda c: c + "\0", lambda _: "\ud800", lambda c: "0" + c, lambda c: c + " " + c,
     lambda c: c[:3] + "_" + c[3:], lambda c: c.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")),
     lambda c: c[:-1] + "\u200b", lambda c: c[::-1] if c != c[::-1] else c[:-1]],
    ids=range(15),
)  # fmt: skip
async def test_other_texts_than_a_code_are_wrong_and_counted(site: Site, spoil: Any) -> None:
    """(docs/security/attacks.md OT-8.)"""
    code = await site.code()
    for _ in range(5):
        assert await site.try_code(spoil(code)) == WRONG_CODE
    assert await site.try_code(code) == WRONG_CODE


SPELLINGS: list[Callable[[str], str]] = [
    lambda c: c + "\n", lambda c: " " + c, lambda c: c + " ", lambda c: c[:3] + " " + c[3:],
    lambda c: c[:3] + "-" + c[3:],
    lambda c: c.translate(str.maketrans("0123456789", "０１２３４５６７８９")), lambda c: c + "\u200b",
    lambda c: "\u202d" + c[:3] + "\u2009" + c[3:] + "\u202c",
]  # fmt: skip


@pytest.mark.attack("OT-8")
@pytest.mark.parametrize("spell", SPELLINGS, ids=range(len(SPELLINGS)))
async def test_spellings_of_a_code_are_the_code_and_bring_no_try(site: Site, spell: Any) -> None:
    """Each spelling of a wrong code is a try like the plain one; that of the right code is good, once."""
    code = await site.code()
    for _ in range(4):
        assert await site.try_code(spell(site.wrong(code))) == WRONG_CODE
    assert isinstance(await site.try_code(spell(code)), Granted)
    for again in (code, spell(code)):
        assert await site.try_code(again) == WRONG_CODE
    second = await site.code()
    for n in range(5):
        assert await site.try_code(SPELLINGS[n](site.wrong(second))) == WRONG_CODE
    assert await site.try_code(spell(second)) == WRONG_CODE


@pytest.fixture
async def freely_sent(folder: Any) -> AsyncIterator[Site]:
    """A site that sends more codes than it allows tries."""
    async with open_site(folder, send_per_hour=99, send_share_per_hour=99, send_per_day=99, send_share_per_day=99) as s:
        yield s


@pytest.mark.attack("OT-3")
async def test_who_asks_has_20_tries_an_hour_surviving_new_codes(freely_sent: Site) -> None:
    """Over all codes, purposes and apps. (docs/security/attacks.md OT-3.)"""
    site = freely_sent
    app = await site.harness.add_app("second")
    start, here, code = site.clock.now(), site.origin(), ""
    for n in range(20):
        where = replace(here, app=app) if n % 8 < 4 else here
        purpose = Purpose.VERIFY if n % 12 < 4 else Purpose.LOGIN
        if n % 4 == 0:
            site.clock.at = start + n * MINUTE
            assert await site.ask_code(PHONE, purpose, where) == CodeSent()
            code = (await site.harness.messages())[-1].code
        if purpose is Purpose.LOGIN:
            assert await site.try_code(site.wrong(code), origin=where) == WRONG_CODE
        else:
            ask = CodeTry(Kind.PHONE, PHONE, purpose, site.wrong(code))
            assert await site.flows.codes.verify(ask, where) == WRONG_CODE
    site.clock.advance(MINUTE)
    assert await site.ask_code() == CodeSent()
    code = (await site.harness.messages())[-1].code
    assert waits(await site.try_code(code)) == 43 * 60
    assert isinstance(await site.try_code(await other_code(site), OTHER_PHONE), Granted)
    site.clock.at = start + HOUR
    assert await site.ask_code() == CodeSent()
    assert isinstance(await site.try_code((await site.harness.messages())[-1].code), Granted)


@pytest.mark.attack("OT-3", "OT-19")
async def test_all_others_together_have_20_tries_an_hour_and_who_asks_has_its_own(freely_sent: Site) -> None:
    site = freely_sent
    start, code = site.clock.now(), ""
    for n in range(20):
        if n % 3 == 0:
            site.clock.at = start + n * MINUTE
            assert await site.ask_code() == CodeSent()
        code = (await site.harness.messages())[-1].code
        assert await site.try_code(site.wrong(code), origin=site.elsewhere()) == WRONG_CODE
    assert waits(await site.try_code(code, origin=site.elsewhere())) == (60 - 18) * 60
    assert isinstance(await site.try_code(code), Granted)


@pytest.mark.attack("OT-19")
async def test_tries_where_no_code_is_live_count_for_their_network_alone(site: Site) -> None:
    """A stranger with 120 tries an hour a network uses up nothing of the owner's. Nobody sees whether one is live."""
    stranger = site.elsewhere()
    for _ in range(120):
        assert await site.try_code("000000", origin=stranger) == WRONG_CODE
    assert waits(await site.try_code("000000", origin=stranger)) == 3600
    code = await site.code()
    assert isinstance(await site.try_code(code), Granted)


async def other_code(site: Site) -> str:
    await site.ask_code(OTHER_PHONE, origin=site.elsewhere())
    return (await site.harness.messages())[-1].code


async def test_right_codes_use_up_no_tries(freely_sent: Site) -> None:
    site = freely_sent
    start = site.clock.now()
    for n in range(19):
        if n % 4 == 0:
            site.clock.at = start + n * MINUTE
            await site.ask_code()
        assert await site.try_code("") == WRONG_CODE
    code = (await site.harness.messages())[-1].code
    assert isinstance(await site.try_code(code), Granted)
    site.clock.advance(MINUTE)
    await site.ask_code()
    assert await site.try_code("") == WRONG_CODE
    assert waits(await site.try_code((await site.harness.messages())[-1].code)) == 43 * 60


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
    ask = CodeTry(Kind.PHONE, PHONE, Purpose.VERIFY, code)
    assert await site.flows.codes.verify(ask, site.origin()) == WRONG_CODE
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
