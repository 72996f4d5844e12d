"""Who has many networks of IPv6 may do little more than who has one. (docs/security/attacks.md OT-20.)"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from menshen.core.account.asks import Registration
from menshen.core.codes.asks import CodeSent
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from tests.attacks.lockout.strangers import STRANGERS, guess_passwords
from tests.flows.site import NEW, WRONG, Site, code_of, open_site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with open_site(tmp_path) as opened:
        yield opened


async def send(site: Site, origin: Origin, n: int) -> Any:
    return await site.ask_code(f"+86137{n:08}", origin=origin)


async def register(site: Site, origin: Origin, n: int) -> Any:
    return await site.flows.account.register(Registration(f"flood{n}", NEW), origin)


async def look_up(site: Site, origin: Origin, n: int) -> Any:
    return await site.flows.account.taken("username", f"nobody{n}", None, None, origin)


async def try_codes(site: Site, origin: Origin, n: int) -> Any:
    told = await site.try_code("000000", f"+86136{n:08}", origin)
    return told if code_of(told) is ProblemCode.TOO_MANY_REQUESTS else None


async def stuff(site: Site, origin: Origin, n: int) -> Any:
    """Try a stolen list without captchas."""
    told = await site.try_password(f"nobody{n}", WRONG, origin)
    return None if code_of(told) is ProblemCode.WRONG_CREDENTIALS else told


DOORS = {
    "send": (send, 10),
    "register": (register, 20),
    "look up": (look_up, 60),
    "codes": (try_codes, 120),
    "stuff": (stuff, 19),
}


@pytest.mark.attack("OT-20")
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("prefix", "factor"), [("2001:db8:9:1::{:x}", 1), ("2001:db8:9:1{:02x}::1", 2), ("2001:db8:9:{:x}::1", 4)]
)
async def test_a_wider_network_of_ipv6_may_do_a_little_more(site: Site, door: str, prefix: str, factor: int) -> None:
    """A /64 as much as one line of IPv4, a home's /56 twice, a tunnel's /48 four times as much; not 65 536 times.

    Of codes with a solved captcha, a /48 gets as many as the /24 of a carrier: six times as many (OT-21).
    """
    act, most = DOORS[door]
    factor = 6 if (door, factor) == ("send", 4) else factor
    done = 0
    for n in range(most * factor + 40):
        # The calls go around over the narrower networks, so that none of them is full first.
        origin = site.origin(prefix.format(n % 256 if factor == 2 else n * 256 % 65536 if factor > 2 else n))
        done += not isinstance(await act(site, origin, n), Denied)
    assert done == most * factor


@pytest.mark.attack("OT-20")
async def test_one_accounts_failures_count_over_a_home(site: Site) -> None:
    await site.kevin()
    told = [code_of(await site.try_password(password=WRONG, origin=site.origin(ip))) for ip in STRANGERS[:40]]
    assert told[:6] == [ProblemCode.WRONG_CREDENTIALS] * 6
    assert set(told[6:]) == {ProblemCode.CAPTCHA_REQUIRED}
    assert await guess_passwords(site, 60) == 14


@pytest.mark.attack("OT-20")
async def test_a_home_cannot_spend_everybodys_day(site: Site) -> None:
    sent = 0
    for n in range(1200):
        sent += await send(site, site.origin(STRANGERS[n % 256]), n) == CodeSent()
        site.clock.advance(72_000)
    assert sent == 200
    assert await site.ask_code(origin=site.elsewhere()) == CodeSent()
