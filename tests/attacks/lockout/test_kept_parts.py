"""What is kept for an owner, against neighbours and against what strangers do meanwhile. (OT-19.)"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from menshen.core.account.asks import PasswordReset
from menshen.core.audit.events import Tag
from menshen.core.codes.asks import CodeSent, SendCode
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.identifiers import Kind
from menshen.core.login.asks import CodeSignup
from menshen.core.login.outcomes import Granted
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import DAY, HOUR, MINUTE
from tests.flows.site import AWAY, HOME, NEW, OTHER_PHONE, PHONE, WRONG, Site, code_of, open_site, waits
from tests.substitutes import Substitute

WRONG_CODE = Denied(ProblemCode.WRONG_CODE)
OWNERS_HOME = "2001:db8:1:100::1"
NEIGHBOURS = [f"2001:db8:1:{n:x}00::1" for n in range(2, 9)]
"""Other customers of the owner's provider: other /56 of the same /48."""


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with open_site(tmp_path) as opened:
        await opened.kevin()
        yield opened


def meanwhile(site: Site, act: Any) -> Site:
    """Give the same installation, in which `act` happens while a new password is hashed."""
    hasher = site.harness.assembled.hasher

    async def hashed(password: bytes) -> str:
        await act()
        return await hasher.hash(password)

    return site.over(hasher=Substitute(hasher, hash=hashed))


@pytest.mark.attack("OT-19", "RACE-14")
async def test_a_stranger_who_asks_for_a_code_ends_no_reset_under_way(site: Site) -> None:
    home = site.origin(HOME)
    assert await site.ask_code(purpose=Purpose.RESET, origin=home) == CodeSent()
    code = (await site.harness.messages())[-1].code
    site.clock.advance(MINUTE)

    async def ask() -> None:
        assert await site.ask_code(purpose=Purpose.RESET, origin=site.elsewhere()) == CodeSent()

    ask_reset = PasswordReset(Kind.PHONE, PHONE, Purpose.RESET, code, NEW, captcha=await site.captcha(home))
    assert await meanwhile(site, ask).flows.account.reset_password(ask_reset, home) == Done()
    assert isinstance(await site.try_password(password=NEW, origin=home), Granted)


@pytest.mark.attack("AD-8", "RACE-14")
async def test_a_sign_up_under_way_ends_with_the_epoch(site: Site) -> None:
    home = site.origin(HOME)
    assert await site.ask_code(OTHER_PHONE, Purpose.SIGNUP, home) == CodeSent()
    code = (await site.harness.messages())[-1].code

    async def raise_epoch() -> None:
        await site.store.write(lambda tx: tx.upkeep.raise_epoch(site.clock.now()))

    ask = CodeSignup(OTHER_PHONE, code, NEW, await site.captcha(home))
    assert await meanwhile(site, raise_epoch).flows.login.sign_up(ask, home) == WRONG_CODE
    refused = await site.events(tag=Tag.CODE_REFUSED)
    assert [event.reason for event in refused] == ["signup:ended_meanwhile"]


@pytest.mark.attack("OT-13", "OT-19", "OT-20")
async def test_neighbours_in_the_providers_network_use_up_nothing_of_a_home(site: Site) -> None:
    home = site.origin(OWNERS_HOME)
    await site.login(origin=home)
    for n in range(70):
        origin = site.origin(NEIGHBOURS[n % 7])
        await site.try_password(password=WRONG, origin=origin, captcha=await site.captcha(origin))
        if n % 10 == 9:
            site.clock.advance(16 * MINUTE)
    stranger = site.origin(NEIGHBOURS[0])
    told = await site.try_password(origin=stranger, captcha=await site.captcha(stranger))
    assert code_of(told) is ProblemCode.PASSWORD_SUSPENDED
    assert isinstance(await site.try_password(origin=home, captcha=await site.captcha(home)), Granted)


@pytest.mark.attack("OT-11", "OT-19")
async def test_neighbours_cannot_spend_the_day_of_a_home(tmp_path: Path) -> None:
    async with open_site(tmp_path, send_budget_per_day=100) as site:
        await site.kevin()
        await site.login(origin=site.origin(OWNERS_HOME))
        sent = 0
        for n in range(120):
            origin = site.origin(NEIGHBOURS[n % 7])
            sent += await site.ask_code(f"+86138{n:08}", origin=origin) == CodeSent()
            site.clock.advance(5 * MINUTE)
        assert sent == 40
        assert code_of(await site.ask_code(OTHER_PHONE, origin=site.origin(OWNERS_HOME))) is (
            ProblemCode.TOO_MANY_REQUESTS
        )
        assert await site.ask_code(origin=site.origin(OWNERS_HOME)) == CodeSent()


@pytest.mark.attack("OT-19")
async def test_a_neighbour_at_home_uses_up_nothing_of_a_known_device(site: Site) -> None:
    await site.login(origin=site.origin(HOME, device="phone"))
    for n in range(12):
        # A neighbour behind the same address, and others.
        await site.ask_code(origin=site.origin(HOME if n % 2 else f"203.0.{n}.1"))
        site.clock.advance(MINUTE)
    assert code_of(await site.ask_code(origin=site.origin(HOME))) is ProblemCode.TOO_MANY_REQUESTS
    for where in (HOME, AWAY):
        assert await site.ask_code(origin=site.origin(where, device="phone")) == CodeSent()
        site.clock.advance(MINUTE)


@pytest.mark.attack("OT-1", "OT-19")
async def test_at_home_a_code_is_good_that_was_asked_for_elsewhere(site: Site) -> None:
    """People ask on the phone, and type at the computer."""
    await site.login(origin=site.origin(HOME))
    assert await site.ask_code(origin=site.elsewhere()) == CodeSent()
    code = (await site.harness.messages())[-1].code
    for _ in range(3):
        assert await site.try_code(site.wrong(code), origin=site.elsewhere()) == WRONG_CODE
    assert await site.try_code(code, origin=site.elsewhere()) == WRONG_CODE
    assert isinstance(await site.try_code(code, origin=site.origin(HOME)), Granted)


@pytest.mark.attack("OT-19")
async def test_what_a_budget_refuses_uses_up_nothing_of_a_number(tmp_path: Path) -> None:
    async with open_site(tmp_path, send_budget_per_day=5) as site:
        await site.kevin()
        for _ in range(5):
            assert await site.ask_code(origin=site.elsewhere()) == CodeSent()
            site.clock.advance(HOUR)
        home = site.origin(HOME)
        await site.login(origin=home)
        for _ in range(18):
            assert code_of(await site.ask_code(origin=home)) is ProblemCode.TOO_MANY_REQUESTS
            site.clock.advance(HOUR)
        assert len(await site.harness.messages()) == 5
        site.clock.advance(HOUR)
        for _ in range(2):
            assert await site.ask_code(origin=home) == CodeSent()
            site.clock.advance(MINUTE)


@pytest.mark.attack("EN-5", "OT-19")
async def test_what_is_withheld_is_followed_by_the_same_answers(tmp_path: Path) -> None:
    """Neither the network's part nor the prefix tells whether the message went out."""
    told = []
    for somebody in (True, False):
        folder = tmp_path / str(somebody)
        folder.mkdir()
        async with open_site(folder, send_budget_per_day=20, prefix_watch_from=18) as site:
            await site.kevin(phone=PHONE if somebody else None)
            for n in range(16):
                assert await site.ask_code(f"{PHONE[:-4]}{n:04}", origin=site.elsewhere()) == CodeSent()
            stranger = site.elsewhere()
            answers: list[Any] = [await site.ask_code(origin=stranger)]
            bare = SendCode(Kind.PHONE, f"{PHONE[:-4]}9999", Purpose.VERIFY, None)
            answers.append(await site.flows.codes.send(bare, stranger))
            answers.append(await site.flows.codes.send(bare, stranger))
            answers += [await site.ask_code(f"+86139{n:08}", origin=stranger) for n in range(12)]
            told.append([answer.code if isinstance(answer, Denied) else answer for answer in answers])
    assert told[0] == told[1]
    assert ProblemCode.CAPTCHA_REQUIRED in told[0]
    assert told[0][-1] is ProblemCode.TOO_MANY_REQUESTS


@pytest.mark.attack("OT-12")
async def test_who_has_kept_codes_waits_no_longer_than_for_them(tmp_path: Path) -> None:
    async with open_site(tmp_path, send_per_hour=1, send_per_day=1) as site:
        await site.kevin()
        home = site.origin(HOME)
        await site.login(origin=home)
        assert await site.ask_code(origin=site.elsewhere()) == CodeSent()
        assert waits(await site.ask_code(origin=home)) == 60
        assert waits(await site.ask_code(origin=site.elsewhere())) == DAY // 1000
        site.clock.advance(MINUTE)
        assert await site.ask_code(origin=home) == CodeSent()
