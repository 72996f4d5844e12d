"""F14, F15: two nodes behind a balancer that alternates strictly; what ends on one, ends on the other."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import statistics
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.faults.caller import Caller, Fate
from tests.faults.players import Player, deal_codes, until_done
from tests.faults.proxy import through
from tests.faults.referee import Referee
from tests.faults.site import PASSWORD, settled, username
from tests.faults.waiting import until
from tests.patience import AS_SHIPPED, PATIENT

PROMISE_MS = 500


async def lag_of(site_ports: tuple[int, int], number: int, how: str) -> float:
    """Milliseconds from the acknowledgement of an end on one node to its refusal by the other, asked each 10 ms."""
    here, there = Caller([site_ports[0]]), Caller([site_ports[1]])
    told = await here.login(username(number), PASSWORD, f"lag {how}")
    token = told.body["data"]["token"]["token"]
    # Until the other node remembers it.
    for _ in range(3):
        assert (await there.check(token)).fate is Fate.DONE
    if how == "logout":
        ended = await here.log_out(token)
    elif how == "login":
        ended = await here.login(username(number), PASSWORD, f"lag {how}")
    else:
        ended = await here.change_password(number + 1, token, PASSWORD, PASSWORD + "!")
    acknowledged = time.perf_counter()
    assert ended.fate is Fate.DONE, ended
    assert (await here.check(token)).fate is Fate.REFUSED, "the acknowledging node refuses it at once"
    asked = 0.0

    async def is_refused() -> bool:
        nonlocal asked
        asked = time.perf_counter()
        fate = (await there.check(token)).fate
        assert fate in {Fate.DONE, Fate.REFUSED}
        return fate is Fate.REFUSED

    await until(is_refused, every=0.01)
    if how == "password":
        back = await here.login(username(number), PASSWORD + "!", "back")
        changed = await here.change_password(number + 1, back.body["data"]["token"]["token"], PASSWORD + "!", PASSWORD)
        assert changed.fate is Fate.DONE
    return max(0.0, asked - acknowledged) * 1000


def distribution(lags: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(lags, n=100)
    return {"n": len(lags), "p50": cuts[49], "p90": cuts[89], "p99": cuts[98], "max": max(lags)}


STORES = pytest.mark.parametrize("store", ["postgresql", "sqlite"])


@STORES
def test_what_ends_on_one_node_is_refused_by_the_other(tmp_path: Path, postgres_url: str, store: str) -> None:
    end_on_one(tmp_path, postgres_url, store, PATIENT)


@pytest.mark.timing
@STORES
def test_what_ends_on_one_node_is_refused_by_the_other_in_time(tmp_path: Path, postgres_url: str, store: str) -> None:
    assert end_on_one(tmp_path, postgres_url, store, AS_SHIPPED) < PROMISE_MS


def end_on_one(folder: Path, url: str, store: str, extra: Mapping[str, str]) -> float:
    """Sixty times, in three ways; the milliseconds of the slowest news."""
    with settled(folder, url if store == "postgresql" else "", 4, **extra) as site:
        ports = (site.start().port, site.start().port)
        ways = ("logout", "login", "password")

        async def measure() -> list[float]:
            return [
                await lag_of(ports if turn % 2 else (ports[1], ports[0]), turn % 4, ways[turn % 3])
                for turn in range(60)
            ]

        found = distribution(asyncio.run(measure()))
        print(store, json.dumps({name: round(value, 1) for name, value in found.items()}))
    return found["max"]


@STORES
@pytest.mark.attack("RACE-15")
def test_fifty_that_refresh_at_once_hold_one_pair(tmp_path: Path, postgres_url: str, store: str) -> None:
    """On two servers. One is killed before a last client asks again."""
    with settled(tmp_path, postgres_url if store == "postgresql" else "", 1, **PATIENT) as site:
        one, other = site.start(), site.start()
        caller, last = Caller([one.port, other.port]), Caller([other.port])

        async def race() -> None:
            told = await caller.login(username(0), PASSWORD)
            old = (told.body["data"]["token"]["token"], told.body["data"]["token"]["refresh"])
            answers = await asyncio.gather(*(caller.refresh(*old) for _ in range(50)))
            one.kill()
            answers.append(await last.refresh(*old))
            assert [answer.fate for answer in answers] == [Fate.DONE] * 51
            assert len({json.dumps(answer.body) for answer in answers}) == 1
            new = answers[0].body["data"]["token"]
            assert (await last.check(new["token"])).fate is Fate.DONE
            assert (await last.check(old[0])).fate is Fate.REFUSED
            assert (await last.log_out(new["token"])).fate is Fate.DONE
            assert (await last.refresh(*old)).fate is Fate.REFUSED

        asyncio.run(race())
        tags = [row[0] for row in site.rows("SELECT tag FROM audit")]
        assert (tags.count("session.refreshed"), tags.count("session.refresh_retried")) == (1, 1)


@STORES
def test_strict_alternation(tmp_path: Path, postgres_url: str, store: str) -> None:
    """Every call goes to the other node than the one before: no call needs what the last node knew."""
    kinds = {"login done", "refresh done", "password done", "code done", "logout done"}
    with settled(tmp_path, postgres_url if store == "postgresql" else "", 6, **PATIENT) as site:
        ports = [site.start().port, site.start().port]
        referee = Referee(site, 6)
        random_bits = random.Random(5)
        players = [Player(n, Caller(ports, turn=n), referee, random_bits) for n in range(6)]

        async def play() -> None:
            for _ in range(2):
                for player in players:
                    await player.fetch_code()
                await asyncio.to_thread(deal_codes, players)
                over = asyncio.Event()
                games = [
                    asyncio.create_task(p.play(over, ("login", "refresh", "password", "code", "logout")))
                    for p in players
                ]
                await until_done(referee, 200)
                await until(lambda: set(referee.fates) >= kinds)
                over.set()
                await asyncio.gather(*games)

        asyncio.run(play())
        verdict = referee.judge()
        assert not verdict.breaches
        assert set(referee.fates) >= kinds
        assert referee.total(Fate.AWAY) + referee.total(Fate.LOST) == 0


def test_a_node_that_hears_nothing_stops_saying_yes(tmp_path: Path, postgres_url: str) -> None:
    hear_nothing(tmp_path, postgres_url)


@pytest.mark.timing
def test_a_node_that_hears_nothing_says_so_and_hears_again_in_time(tmp_path: Path, postgres_url: str) -> None:
    said, heard = hear_nothing(tmp_path, postgres_url)
    assert said < 8
    assert heard < 30


def hear_nothing(folder: Path, url: str) -> tuple[float, float]:
    """One node's way to the database becomes a black hole: within 500 ms it remembers nobody, and says 503.

    Seconds of that answer, and from the fault's end until it hears what was ended.
    """
    with settled(folder, url, accounts=2) as site, through(url) as proxy:
        near = site.start()
        far = site.start(MENSHEN_STORAGE__URL=proxy.url)

        async def play() -> tuple[float, float]:
            here, there = Caller([near.port]), Caller([far.port])
            token = (await here.login(username(0), PASSWORD)).body["data"]["token"]["token"]
            for _ in range(5):
                assert (await there.check(token)).fate is Fate.DONE
            proxy.mood = "black hole"
            assert (await here.log_out(token)).fate is Fate.DONE
            acknowledged = time.perf_counter()
            while True:
                began = time.perf_counter()
                told = await there.check(token)
                if began - acknowledged > PROMISE_MS / 1000:
                    assert told.fate is Fate.AWAY
                    break
                await asyncio.sleep(0.01)
            assert (await there.call("GET", "/readyz")).status == 503
            proxy.mood = "open"

            async def is_refused() -> bool:
                return (await there.check(token)).fate is Fate.REFUSED

            heard = await until(is_refused, every=0.05)
            assert (await there.login(username(1), PASSWORD)).fate is Fate.DONE
            return told.seconds, heard

        return asyncio.run(play())


def test_half_open_connections_after_a_restart_are_found_out(tmp_path: Path, postgres_url: str) -> None:
    find_out(tmp_path, postgres_url)


@pytest.mark.timing
def test_half_open_connections_are_found_out_in_time(tmp_path: Path, postgres_url: str) -> None:
    assert find_out(tmp_path, postgres_url) < 15


def find_out(folder: Path, url: str) -> float:
    """F5: connections whose other end is gone without a word are used once, and thrown away. Seconds until a login."""
    with settled(folder, url, accounts=1) as site, through(url) as proxy:
        node = site.start(MENSHEN_STORAGE__URL=proxy.url)

        async def play() -> float:
            caller = Caller([node.port])
            assert (await caller.login(username(0), PASSWORD)).fate is Fate.DONE
            proxy.forget()

            async def logs_in() -> bool:
                fate = (await caller.login(username(0), PASSWORD)).fate
                assert fate in {Fate.DONE, Fate.AWAY}
                return fate is Fate.DONE

            return await until(logs_in, every=0)

        return asyncio.run(play())


def test_a_node_killed_in_the_middle_of_calls(tmp_path: Path, postgres_url: str) -> None:
    with settled(tmp_path, postgres_url, 6, **PATIENT) as site:
        nodes = [site.start(), site.start()]
        referee = Referee(site, 6)
        random_bits = random.Random(6)
        players = [Player(n, Caller([node.port for node in nodes], turn=n), referee, random_bits) for n in range(6)]

        async def play() -> None:
            over = asyncio.Event()
            games = [asyncio.create_task(p.play(over, ("login", "refresh", "password"))) for p in players]
            await until_done(referee, 60)
            nodes[1].process.send_signal(signal.SIGKILL)
            nodes[1].process.wait(60)
            over.set()
            await asyncio.gather(*games)
            for player in players:
                player.caller.ports = [nodes[0].port]
                await player.settle()
                assert await player.step("login") is Fate.DONE

        asyncio.run(play())
        assert not referee.judge().breaches
