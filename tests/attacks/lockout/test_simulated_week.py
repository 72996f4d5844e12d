"""A week in which a stranger with a home's /56 fills what can be filled, and owners come and go. (OT-19, OT-20.)

Time is simulated. Everybody acts by a timetable, so that each run is the same.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from itertools import count, cycle
from pathlib import Path

import pytest

from menshen.core.account.asks import PasswordReset
from menshen.core.audit.events import Tag
from menshen.core.codes.asks import CodeSent, CodeTry, SendCode
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.identifiers import Kind
from menshen.core.login.outcomes import Granted
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import DAY, MINUTE
from tests.attacks.lockout.strangers import STRANGERS
from tests.figures import Figure
from tests.flows.site import CAREYSHOP, NEW, PASSWORD, WRONG, Site, open_site

OWNERS, VISITS_A_DAY, DAYS = 6, 8, 7
REQUESTS_A_DAY = 1000
NEWCOMERS_A_DAY = 10
LONGEST = 15 * MINUTE


def phone_of(owner: int) -> str:
    return f"+86135442856{owner:02}"


@dataclass
class Week:
    """What happened. Owners with even numbers come by codes alone."""

    site: Site
    waits: list[int] = field(default_factory=list)
    ways: Counter[str] = field(default_factory=Counter)
    stranger: Counter[str] = field(default_factory=Counter)

    # --- the stranger -------------------------------------------------------------------------------------------------

    def attacks(self) -> Iterator[Callable[[Origin], Awaitable[object]]]:
        """One thing after another that takes something from somebody: all of a day at one owner."""
        site, number = self.site, count()

        async def guess_password(origin: Origin, owner: int) -> object:
            return await site.try_password(f"owner{owner}", WRONG, origin, captcha=await site.captcha(origin))

        async def guess_code(origin: Origin, owner: int) -> object:
            return await site.try_code("000000", phone_of(owner), origin)

        async def guess_reset(origin: Origin, owner: int) -> object:
            captcha = await site.captcha(origin)
            ask = PasswordReset(Kind.PHONE, phone_of(owner), Purpose.RESET, "000000", NEW, captcha=captcha)
            return await site.flows.account.reset_password(ask, origin)

        async def verify(origin: Origin, owner: int) -> object:
            there = site.origin(origin.ip, CAREYSHOP)
            return await site.flows.codes.verify(CodeTry(Kind.PHONE, phone_of(owner), Purpose.VERIFY, "000000"), there)

        async def ask_code(origin: Origin, owner: int) -> object:
            purpose = (Purpose.LOGIN, Purpose.RESET, Purpose.VERIFY)[next(number) % 3]
            ask = SendCode(Kind.PHONE, phone_of(owner), purpose, await site.captcha(origin))
            return await site.flows.codes.send(ask, origin)

        async def spend_budget(origin: Origin, _: int) -> object:
            return await site.ask_code(f"+86177{next(number):08}", origin=origin)

        order = [guess_password, guess_code, ask_code, guess_reset, spend_budget, verify, guess_code, ask_code]
        for n, act in enumerate(cycle(order)):
            yield lambda origin, act=act, n=n: act(origin, n // REQUESTS_A_DAY % OWNERS)  # type: ignore[misc]

    # --- owners -------------------------------------------------------------------------------------------------------

    async def get_in(self, phone: str, origin: Origin, name: str = "") -> str:
        """Try each way once, as a person would: the way that let them in, or ""."""
        site = self.site
        if name:
            captcha = await site.captcha(origin)
            if isinstance(await site.try_password(name, PASSWORD, origin, captcha=captcha), Granted):
                return "password"
        if await site.ask_code(phone, origin=origin) != CodeSent():
            return ""
        newest = [stored.message for stored in await site.store.read.outbox.list_all(limit=1)]
        if [message.to for message in newest] != [phone]:
            return ""
        return "code" if isinstance(await site.try_code(newest[0].code, phone, origin), Granted) else ""


async def play(week: Week) -> None:
    """Let everybody act in the order of time."""
    site, start = week.site, week.site.clock.now()
    turn, attacks = count(), week.attacks()
    # (when, order, who, since when this visit tries)
    agenda: list[tuple[int, int, str, int]] = []
    for n in range(REQUESTS_A_DAY * DAYS):
        heapq.heappush(agenda, (start + n * DAY // REQUESTS_A_DAY, next(turn), "stranger", n))
    for n in range(OWNERS * VISITS_A_DAY * DAYS):
        at = start + n * DAY // (OWNERS * VISITS_A_DAY) + 40_000
        heapq.heappush(agenda, (at, next(turn), f"owner {n}", at))
    for n in range(NEWCOMERS_A_DAY * DAYS):
        at = start + n * DAY // NEWCOMERS_A_DAY + 50_000
        heapq.heappush(agenda, (at, next(turn), f"newcomer {n}", at))
    while agenda:
        at, _, who, since = heapq.heappop(agenda)
        site.clock.at = max(site.clock.at, at)
        kind, _, text = who.partition(" ")
        if kind == "stranger":
            told = await next(attacks)(site.origin(STRANGERS[since % 256]))
            week.stranger[told.code.value if isinstance(told, Denied) else type(told).__name__] += 1
            continue
        n = int(text)
        if kind == "owner":
            owner, visit = n % OWNERS, n // OWNERS
            # Every second visit is made from home, the others on a journey.
            ip = f"198.51.{owner}.7" if visit % 2 == 0 else f"10.{owner}.{visit % 250}.{visit // 250 + 1}"
            way = await week.get_in(phone_of(owner), site.origin(ip), f"owner{owner}" if owner % 2 else "")
        else:
            way = await week.get_in(f"+86166{n:08}", site.origin(f"172.16.{n}.9"))
        if way:
            week.waits.append(site.clock.now() - since)
            week.ways[f"{kind} by {way}"] += 1
        else:
            heapq.heappush(agenda, (at + MINUTE, next(turn), who, since))


@pytest.mark.attack("OT-19", "OT-20")
async def test_no_owner_is_kept_out_for_a_quarter_of_an_hour(tmp_path: Path, figure: Figure) -> None:
    async with open_site(tmp_path) as site:
        for owner in range(OWNERS):
            await site.kevin(username=f"owner{owner}", phone=phone_of(owner), email=None)
        week = Week(site)
        await play(week)
        visits = OWNERS * VISITS_A_DAY * DAYS + NEWCOMERS_A_DAY * DAYS
        figure(
            f"OT-19: a week, {sum(week.stranger.values())} requests of one /56: {dict(week.stranger)}; "
            f"{visits} visits: {dict(week.ways)}; longest wait {max(week.waits) // 1000} s"
        )
        assert len(week.waits) == visits
        assert max(week.waits) < LONGEST
        assert await site.events(tag=Tag.CODE_BUDGET_HALF) == []
        assert week.stranger[ProblemCode.TOO_MANY_REQUESTS.value] > 0
        assert week.stranger["Granted"] == 0
