"""Strangers fill every limit that they can, all at once; the owner gets in. (docs/security/attacks.md OT-19.)"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from menshen.core.account.asks import PasswordReset
from menshen.core.audit.events import Tag
from menshen.core.codes.asks import CodeSent, CodeTry
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.identifiers import Kind
from menshen.core.login.outcomes import Granted
from menshen.core.outcomes import Done
from menshen.core.problems import ProblemCode
from menshen.core.time import HOUR, MINUTE
from tests.attacks.lockout.strangers import STRANGERS, guess_passwords
from tests.flows.site import AWAY, CAREYSHOP, HOME, NEW, PHONE, WRONG, Site, code_of, open_site


@pytest.fixture(params=["sqlite", "postgresql"])
async def victim(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    """A site whose owner logged in from home."""
    environ = {}
    if request.param == "postgresql":
        environ = {"MENSHEN_STORAGE__URL": request.getfixturevalue("postgres_url")}
    async with open_site(tmp_path, environ) as site:
        await site.kevin()
        await site.login(origin=site.origin(HOME))
        yield site


async def guess_codes(site: Site, times: int) -> None:
    """Try wrong codes at two doors, one of which asks for no captcha."""
    for n in range(times):
        ip = STRANGERS[n % 256]
        await site.try_code("000000", origin=site.origin(ip))
        await site.flows.codes.verify(CodeTry(Kind.PHONE, PHONE, Purpose.VERIFY, "000000"), site.origin(ip, CAREYSHOP))


async def ask_codes(site: Site, hours: int) -> int:
    """Ask for codes to the owner's number once a minute; how many were sent."""
    sent = 0
    for n in range(hours * 60):
        origin = site.origin(STRANGERS[n % 256], CAREYSHOP if n % 2 else site.origin().rules)
        sent += await site.ask_code(PHONE, Purpose.VERIFY if n % 2 else Purpose.LOGIN, origin) == CodeSent()
        site.clock.advance(MINUTE)
    return sent


async def latest(site: Site) -> str:
    return (await site.harness.messages())[-1].code


@pytest.mark.attack("OT-13", "OT-19")
async def test_all_locks_at_once_leave_the_owner_every_way_in(victim: Site) -> None:
    """Password, code and reset, from home and from elsewhere."""
    site = victim
    judged = 0
    for _ in range(8):
        judged += await guess_passwords(site, 40)
        site.clock.advance(16 * MINUTE)
    # 20 before the account's networks are counted apart, and 20 of this one.
    assert judged == 40
    assert await ask_codes(site, 2) == 4
    await guess_codes(site, 300)
    captcha, home = await site.captcha(), site.origin(HOME)
    # The owner at home, by password.
    assert isinstance(await site.try_password(origin=home, captcha=captcha), Granted)
    # On a journey, by password.
    away = site.origin(AWAY)
    assert isinstance(await site.try_password(origin=away, captcha=await site.captcha(away)), Granted)
    # By a code, while strangers try wrong ones at it.
    there = site.elsewhere()
    assert await site.ask_code(origin=there) == CodeSent()
    code = await latest(site)
    await guess_codes(site, 60)
    assert isinstance(await site.try_code(code, origin=there), Granted)
    # By a reset.
    site.clock.advance(MINUTE)
    assert await site.ask_code(purpose=Purpose.RESET, origin=there) == CodeSent()
    code = await latest(site)
    await guess_codes(site, 60)
    ask = PasswordReset(Kind.PHONE, PHONE, Purpose.RESET, code, NEW, captcha=await site.captcha(there))
    assert await site.flows.account.reset_password(ask, there) == Done()


@pytest.mark.attack("OT-13", "OT-19")
async def test_a_password_that_many_networks_suspended_is_good_at_home(victim: Site) -> None:
    site = victim
    for _ in range(25):
        origin = site.elsewhere()
        for _ in range(4):
            told = await site.try_password(password=WRONG, origin=origin, captcha=await site.captcha(origin))
            assert code_of(told) is ProblemCode.WRONG_CREDENTIALS
    stranger = site.elsewhere()
    told = await site.try_password(origin=stranger, captcha=await site.captcha(stranger))
    assert code_of(told) is ProblemCode.PASSWORD_SUSPENDED
    home = site.origin("198.51.100.99")
    # A neighbour's wrong ones end after the share of the network. A code lifts it for the owner.
    for _ in range(20):
        site.clock.advance(16 * MINUTE)
        told = await site.try_password(password=WRONG, origin=home, captcha=await site.captcha(home))
        assert code_of(told) is ProblemCode.WRONG_CREDENTIALS
    told = await site.try_password(origin=home, captcha=await site.captcha(home))
    assert code_of(told) is ProblemCode.PASSWORD_SUSPENDED
    await site.login_code(origin=home)
    assert isinstance(await site.try_password(origin=home), Granted)
    # The owner's login ended the count, and each network's part of it.
    assert isinstance(await site.try_password(origin=stranger), Granted)


@pytest.mark.attack("OT-19")
async def test_a_part_of_a_numbers_codes_is_kept_for_what_its_account_knows(victim: Site) -> None:
    site = victim
    taken = 0
    for n in range(20):
        # Two /48 of strangers and more take the common part.
        taken += await site.ask_code(origin=site.origin(f"2001:db8:{n % 7}::1")) == CodeSent()
        site.clock.advance(MINUTE)
    assert taken == 5
    assert code_of(await site.ask_code(origin=site.elsewhere())) is ProblemCode.TOO_MANY_REQUESTS
    site.clock.advance(MINUTE)
    home = site.origin(HOME)
    sent = []
    for _ in range(3):
        sent.append(await site.ask_code(origin=home) == CodeSent())
        site.clock.advance(MINUTE)
    assert sent == [True, True, False]
    assert isinstance(await site.try_code(await latest(site), origin=home), Granted)
    # A number of nobody's has no such part, wherever the question comes from.
    site.clock.advance(2 * HOUR)
    nobodys = "+8613900139000"
    for n in range(8):
        await site.ask_code(nobodys, origin=site.origin(f"2001:db8:{n % 7}::1"))
        site.clock.advance(MINUTE)
    assert code_of(await site.ask_code(nobodys, origin=home)) is ProblemCode.TOO_MANY_REQUESTS


@pytest.mark.attack("OT-13", "OT-19")
async def test_a_known_device_has_the_kept_part_anywhere(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        await site.kevin()
        await site.login(origin=site.origin(HOME, device="phone"))
        for n in range(20):
            await site.ask_code(origin=site.origin(f"2001:db8:{n % 7}::1"))
            site.clock.advance(MINUTE)
        assert await site.ask_code(origin=site.origin(AWAY, device="phone")) == CodeSent()
        site.clock.advance(MINUTE)
        assert code_of(await site.ask_code(origin=site.origin(AWAY, device="other"))) is (ProblemCode.TOO_MANY_REQUESTS)


@pytest.mark.attack("OT-11", "OT-19")
async def test_the_last_fifth_of_a_budget_goes_to_numbers_of_accounts(tmp_path: Path) -> None:
    async with open_site(tmp_path, send_budget_per_day=20, mail_budget_per_day=10) as site:
        await site.kevin()
        for n in range(16):
            assert await site.ask_code(f"+86138{n:08}", origin=site.elsewhere()) == CodeSent()
        assert [event.reason for event in await site.events(tag=Tag.CODE_BUDGET_SPENT)] == ["all:open"]
        # Others are answered alike. They get no message.
        for n in range(30):
            assert await site.ask_code(f"+86139{n:08}", origin=site.elsewhere()) == CodeSent()
        assert len(await site.harness.messages()) == 16
        withheld = await site.events(tag=Tag.CODE_REFUSED)
        assert [event.reason for event in withheld] == ["login:withheld"] * 30
        for n in range(4):
            assert await site.ask_code(origin=site.elsewhere()) == CodeSent()
            assert len(await site.harness.messages()) == 17 + n
            site.clock.advance(MINUTE)
        site.clock.advance(HOUR)
        assert code_of(await site.ask_code(origin=site.elsewhere())) is ProblemCode.TOO_MANY_REQUESTS
        assert [event.reason for event in await site.events(tag=Tag.CODE_BUDGET_SPENT)] == ["all:open", "all"]
        # Mails have a budget of their own.
        assert await site.ask_code("a@b.example", origin=site.elsewhere()) == CodeSent()
        for n in range(7):
            assert await site.ask_code(f"a{n}@b.example", origin=site.elsewhere()) == CodeSent()
        assert len(await site.harness.messages()) == 28
        assert await site.ask_code("z@b.example", origin=site.elsewhere()) == CodeSent()
        assert len(await site.harness.messages()) == 28
