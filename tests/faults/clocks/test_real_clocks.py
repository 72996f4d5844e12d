"""F10 with real processes: clocks that jump under a running server, run too fast, or differ from node to node.

What is held: what ended stays ended and what is spent stays spent, whatever the clock says; what was told to have
expired never becomes good again; and nobody is logged out whose session has time left on every clock.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.caller import Caller, Fate
from tests.faults.clocks.fake_clock import FakeClock
from tests.faults.players import Player, deal_codes
from tests.faults.referee import Referee
from tests.faults.site import PASSWORD, Site, phone, settled, username
from tests.patience import PATIENT
from tests.server import Server

pytestmark = pytest.mark.machine

HOUR = 3600
PLAYERS = 4
LIFE = ("login", "code", "refresh", "check", "password", "refresh", "logout", "login", "check", "refresh")


@pytest.fixture(params=["sqlite", "postgresql"])
def site(tmp_path: Path, postgres_url: str, request: pytest.FixtureRequest) -> Iterator[Site]:
    url = postgres_url if request.param == "postgresql" else ""
    with settled(tmp_path, url, PLAYERS + 2, **PATIENT) as made:
        yield made


def players_of(referee: Referee, *nodes: Server) -> list[Player]:
    ports = [node.port for node in nodes]
    return [Player(n, Caller(ports, turn=n), referee, random.Random(n)) for n in range(PLAYERS)]


async def live(players: list[Player]) -> None:
    """Everybody does everything, at the same time as the others; all of it is answered as it should be."""

    async def one(player: Player) -> None:
        for what in LIFE:
            assert await player.step(what) is Fate.DONE, what

    await asyncio.gather(*(one(player) for player in players))


class Spent:
    """Something of each kind that is over, and must never be good again. Its accounts are nobody's but its own."""

    def __init__(self, site: Site, caller: Caller) -> None:
        self._site = site
        self._caller = caller

    async def prepare(self) -> None:
        """End a session, spend a refresh and a code; have one more code sent."""
        caller = self._caller
        told = await caller.login(username(PLAYERS), PASSWORD)
        self.ended = told.body["data"]["token"]["token"]
        assert (await caller.log_out(self.ended)).fate is Fate.DONE
        told = await caller.login(username(PLAYERS + 1), PASSWORD)
        self.pair = (told.body["data"]["token"]["token"], told.body["data"]["token"]["refresh"])
        # Twice: for 30 s a pair gives the one that replaced it, and only while that one is the present pair.
        told = await caller.refresh(*self.pair)
        assert (
            await caller.refresh(told.body["data"]["token"]["token"], told.body["data"]["token"]["refresh"])
        ).fate is (Fate.DONE)
        self.spent_code = await self.send(PLAYERS)
        assert (await caller.login_by_code(phone(PLAYERS), *self.spent_code)).fate is Fate.DONE
        self.open_code = await self.send(PLAYERS + 1)

    async def send(self, number: int) -> tuple[str, str]:
        """Have a code sent: the code, and the captcha it goes with."""
        captcha = await self._caller.captcha()
        assert (await self._caller.send_code(phone(number), captcha)).fate is Fate.DONE
        messages = await asyncio.to_thread(self._site.messages)
        return [m.code for m in messages if m.to.endswith(phone(number))][-1], captcha

    async def try_open_code(self) -> Fate:
        return (await self._caller.login_by_code(phone(PLAYERS + 1), *self.open_code)).fate

    async def expect_refused(self) -> None:
        caller = self._caller
        assert (await caller.check(self.ended)).fate is Fate.REFUSED
        assert (await caller.check(self.pair[0])).fate is Fate.REFUSED
        assert (await caller.refresh(*self.pair)).fate is Fate.REFUSED
        assert (await caller.login_by_code(phone(PLAYERS), *self.spent_code)).fate is Fate.REFUSED


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_an_hours_jump_and_back_under_a_running_server(tmp_path: Path, site: Site, jump: int) -> None:
    clock = FakeClock(tmp_path / "clock")
    node = site.start(port=None, **clock.environ)
    referee = Referee(site, PLAYERS)
    players = players_of(referee, node)
    caller = Caller([node.port])
    spent = Spent(site, caller)

    def move(seconds: int) -> None:
        clock.set(f"{seconds:+}")
        for one in (caller, *(player.caller for player in players)):
            # With PostgreSQL calls go by the database's clock, which nobody moves.
            one.ahead = 0 if site.url else seconds

    async def nobody_is_logged_out() -> None:
        for player in players:
            assert player.claims.live
            assert await player.step("check") is Fate.DONE
            assert await player.step("refresh") is Fate.DONE

    async def play() -> None:
        await spent.prepare()
        for player in players:
            assert await player.step("login") is Fate.DONE
        for seconds in (jump, 0):
            move(seconds)
            # Who has another hour than calls go by is told so.
            late = Caller([node.port], ahead=jump if site.url else jump - seconds)
            assert "timestamp" in (await late.login(username(0), PASSWORD)).body["message"]
            await spent.expect_refused()
            await nobody_is_logged_out()
            if seconds > 0 and not site.url:
                # Its 300 s are over.
                assert await spent.try_open_code() is Fate.REFUSED
            await live(players)
        # A clock put right gives an expired code no second life, and takes none from an open one.
        assert await spent.try_open_code() is (Fate.REFUSED if jump > 0 and not site.url else Fate.DONE)
        assert await spent.try_open_code() is Fate.REFUSED
        fresh = await spent.send(PLAYERS)
        assert (await caller.login_by_code(phone(PLAYERS), *fresh)).fate is Fate.DONE
        assert (await caller.login_by_code(phone(PLAYERS), *fresh)).fate is Fate.REFUSED
        await spent.expect_refused()

    asyncio.run(play())
    assert node.stop() == 0
    assert not referee.judge().breaches


def test_a_clock_that_runs_ten_times_as_fast(tmp_path: Path, site: Site) -> None:
    began = time.monotonic()
    node = site.start(port=None, **FakeClock(tmp_path / "clock", "+0 x10").environ)
    referee = Referee(site, PLAYERS)
    players = players_of(referee, node)
    caller = Caller([node.port])
    spent = Spent(site, caller)

    async def keep_time() -> None:
        """Clients go by the server's clock: in 67 s it would be so far ahead that it refuses theirs."""
        while True:
            for one in (caller, *(player.caller for player in players)):
                one.ahead = 9 * (time.monotonic() - began)
            await asyncio.sleep(0.1)

    async def play() -> None:
        keeping = asyncio.create_task(keep_time())
        await spent.prepare()
        await live(players)
        await live(players)
        await spent.expect_refused()
        keeping.cancel()

    asyncio.run(play())
    took, now = time.monotonic() - began, time.time()
    assert node.stop() == 0
    assert not referee.judge().breaches
    ((last,),) = site.rows("SELECT max(at) FROM audit")
    assert last / 1000 - now > 2 * took, "the server's clock did not run fast"


@pytest.mark.parametrize("apart", [5, 60, -60])
def test_two_nodes_whose_clocks_differ(tmp_path: Path, site: Site, apart: int) -> None:
    """Every call goes to the other node than the one before."""
    nodes = [site.start(), site.start(port=None, **FakeClock(tmp_path / "clock", f"{apart:+}").environ)]
    referee = Referee(site, PLAYERS)
    players = players_of(referee, *nodes)
    spent = Spent(site, Caller([node.port for node in nodes]))

    async def play() -> None:
        await spent.prepare()
        for player in players:
            await player.fetch_code()
        await asyncio.to_thread(deal_codes, players)
        await live(players)
        # The same code at both nodes at once: one session.
        tries = [Caller([node.port]).login_by_code(phone(PLAYERS + 1), *spent.open_code) for node in nodes * 4]
        assert [told.fate for told in await asyncio.gather(*tries)].count(Fate.DONE) == 1
        for _ in nodes:
            await spent.expect_refused()

    asyncio.run(play())
    for node in nodes:
        assert node.stop() == 0
    assert not referee.judge().breaches
    assert referee.fates["code done"] == PLAYERS
    ((first, last),) = site.rows("SELECT min(at), max(at) FROM audit")
    assert last - first >= abs(apart) * 900, "the clocks did not differ"


@pytest.mark.attack("SG-8")
def test_a_second_node_that_is_a_year_ahead_ends_nothing(tmp_path: Path, site: Site) -> None:
    node = site.start()
    caller = Caller([node.port])
    token = asyncio.run(caller.login(username(0), PASSWORD)).body["data"]["token"]["token"]
    sessions, audit = "SELECT count(*) FROM sessions", "SELECT count(*) FROM audit"
    before = [site.rows(sessions), site.rows(audit)]
    # A row that every right clock keeps for 180 days, and that one would sweep at once.
    ahead = site.start(port=None, **FakeClock(tmp_path / "clock", "+31536000").environ)
    assert b"nothing is swept" in ahead.call("GET", "/readyz").body
    # SQLite has no clock to go by in the place of the wrong one: good tokens are refused there, and not ended.
    assert asyncio.run(Caller([ahead.port]).check(token)).status == (204 if site.url else 401)
    assert ahead.stop() == 0
    # Its first sweep was done, or cut, before it stopped.
    assert [site.rows(sessions), site.rows(audit)] == before
    assert asyncio.run(caller.check(token)).status == 204
    assert node.call("GET", "/readyz").body == b"ready\n"
    assert node.stop() == 0
    assert "clock.doubted" in ahead.log.read_text()
