"""Many phones behind one network of a carrier get their codes; one line, and callers without a captcha, get few.

(docs/security/attacks.md OT-21, decision 0065.)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from menshen.core.codes.asks import CodeSent, SendCode
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.gates.captcha import PassPresented
from menshen.core.identifiers import Kind
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import HOUR
from tests.flows.site import Site, open_site

NETWORKS = ("203.0.113.{}", "2001:db8:7:{:x}00::1")
"""Two networks of carriers: each number is another line."""


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with open_site(tmp_path) as opened:
        yield opened


def number(n: int) -> str:
    return f"+861371234{n:04}"


async def ask(site: Site, origin: Origin, n: int, captcha: PassPresented | None, purpose: Purpose) -> CodeSent | Denied:
    return await site.flows.codes.send(SendCode(Kind.PHONE, number(n), purpose, captcha), origin)


def reason(outcome: CodeSent | Denied) -> ProblemCode | None:
    return outcome.code if isinstance(outcome, Denied) else None


async def solved(site: Site, origin: Origin, n: int, purpose: Purpose = Purpose.LOGIN) -> ProblemCode | None:
    """Send with a captcha that is hard enough: its refusal, or None."""
    return reason(await ask(site, origin, n, await site.captcha(origin), purpose))


async def bare(site: Site, origin: Origin, n: int) -> ProblemCode | None:
    """Send as CareyShop's clients do, without a captcha."""
    return reason(await ask(site, origin, n, None, Purpose.VERIFY))


@pytest.mark.attack("OT-21")
@pytest.mark.parametrize("network", NETWORKS)
async def test_sixty_phones_of_one_network_get_their_codes(site: Site, network: str) -> None:
    told = [await solved(site, site.origin(network.format(n)), n) for n in range(70)]
    assert told == [None] * 60 + [ProblemCode.TOO_MANY_REQUESTS] * 10
    assert await solved(site, site.elsewhere(), 99) is None
    site.clock.advance(HOUR)
    assert await solved(site, site.origin(network.format(61)), 61) is None


@pytest.mark.attack("OT-21")
@pytest.mark.parametrize("network", NETWORKS)
async def test_one_line_gets_ten_whatever_it_solves(site: Site, network: str) -> None:
    told = [await solved(site, site.origin(network.format(7)), n) for n in range(12)]
    assert told == [None] * 10 + [ProblemCode.TOO_MANY_REQUESTS] * 2
    assert await solved(site, site.origin(network.format(8)), 20) is None


@pytest.mark.attack("OT-21")
@pytest.mark.parametrize("network", NETWORKS)
async def test_a_network_gets_no_more_than_a_line_without_a_captcha(site: Site, network: str) -> None:
    told = [await bare(site, site.origin(network.format(n)), n) for n in range(14)]
    assert told == [None] * 10 + [ProblemCode.CAPTCHA_REQUIRED] * 4
    # Who solves one goes on, in the same dialect.
    assert await solved(site, site.origin(network.format(14)), 14, Purpose.VERIFY) is None


@pytest.mark.attack("OT-21", "RACE-1")
@pytest.mark.parametrize("network", NETWORKS)
async def test_racers_without_a_captcha_are_no_more_than_one_line(site: Site, network: str) -> None:
    told = await asyncio.gather(*(bare(site, site.origin(network.format(n)), n) for n in range(50)))
    assert told.count(None) == 10
    assert set(told) <= {None, ProblemCode.CAPTCHA_REQUIRED, ProblemCode.TOO_MANY_REQUESTS}


@pytest.mark.attack("OT-21", "OT-18")
async def test_each_captcha_of_a_crowd_is_harder(site: Site) -> None:
    """From half of what one line may, and again at each doubling. The test that anybody may fetch is as hard."""
    hardness = {0: 1, 4: 1, 5: 2, 9: 2, 10: 3, 19: 3, 20: 4, 39: 4, 40: 5, 59: 5}
    for n in range(60):
        origin = site.origin(NETWORKS[0].format(n))
        if n in hardness:
            needed = hardness[n]
            fetched = await site.challenge(origin)
            assert fetched.parameters["data"]["difficulty"] == needed, n
            if needed > 1:
                easy = await site.captcha(origin, difficulty=needed - 1)
                refused = await ask(site, origin, n, easy, Purpose.LOGIN)
                assert isinstance(refused, Denied)
                assert refused.code is ProblemCode.CAPTCHA_INVALID
                assert refused.challenge is not None
                assert refused.challenge["parameters"]["data"]["difficulty"] == needed
            assert reason(await ask(site, origin, n, await site.captcha(origin, needed), Purpose.LOGIN)) is None
        else:
            assert await solved(site, origin, n) is None


@pytest.mark.attack("OT-21", "OT-19")
async def test_what_a_crowd_uses_up_is_not_the_day_of_others(site: Site) -> None:
    """One network of lines spends a tenth of the day's budget, as before."""
    sent = 0
    for n in range(200):
        sent += await solved(site, site.origin(NETWORKS[0].format(n)), n) is None
        site.clock.advance(HOUR // 20)
    assert sent == 100
    assert await solved(site, site.elsewhere(), 999) is None
