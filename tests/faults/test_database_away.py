"""F3, F4, F5, F9, F17: PostgreSQL restarted, killed, missing at the start, hung, read-only, and too slow."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.caller import Caller, Fate
from tests.faults.players import Player
from tests.faults.referee import Referee
from tests.faults.site import PASSWORD, Site, settled, username
from tests.postgres import PostgresServer
from tests.server import Server

PLAYERS = 8
HEALTHY_WITHIN = 30.0


@pytest.fixture
def database() -> Iterator[PostgresServer]:
    """A PostgreSQL of the test's own, to be mistreated; what it acknowledged is on disk."""
    with PostgresServer(durable=True) as server:
        yield server


def players_of(referee: Referee, ports: list[int], seed: int = 7) -> list[Player]:
    luck = random.Random(seed)
    return [Player(n, Caller(ports), referee, luck) for n in range(len(referee.claims))]


async def until_healthy(node: Server) -> float:
    """Seconds until it is ready and logs people in again, by itself. Account number `PLAYERS` is for this."""
    began = time.monotonic()
    caller = Caller([node.port])
    while True:
        ready = await caller.call("GET", "/readyz")
        if ready.status == 200 and (await caller.login(username(PLAYERS), PASSWORD)).fate is Fate.DONE:
            return time.monotonic() - began
        assert time.monotonic() - began < HEALTHY_WITHIN
        await asyncio.sleep(0.05)


def threads_of(node: Server) -> int:
    return len(list(Path(f"/proc/{node.process.pid}/task").iterdir()))


def mistreat(players: list[Player], abuse: Callable[[], None], times: int) -> None:
    """Play on a thread while `abuse` happens again and again on this one.

    Not the other way round: PostgreSQL goes when the thread that started it ends.
    """
    over = threading.Event()

    async def play() -> None:
        ended = asyncio.Event()
        calls = ("login", "refresh", "refresh", "refresh", "check", "password")
        games = [asyncio.create_task(player.play(ended, calls)) for player in players]
        await asyncio.to_thread(over.wait)
        ended.set()
        await asyncio.gather(*games)

    with ThreadPoolExecutor(1) as pool:
        game = pool.submit(lambda: asyncio.run(play()))
        # As long as it takes to get something done in between, however busy this machine is.
        try:
            for _ in range(times):
                until_done_there(players[0].referee, 15)
                abuse()
            until_done_there(players[0].referee, 15)
        finally:
            over.set()
        game.result()


def until_done_there(referee: Referee, more: int) -> None:
    """As `until_done`, for players on another thread."""
    wanted, give_up = referee.total(Fate.DONE) + more, time.monotonic() + 60
    while referee.total(Fate.DONE) < wanted:
        if time.monotonic() > give_up:
            pytest.fail("no more calls were done")
        time.sleep(0.02)


@pytest.mark.parametrize("how", ["stop", "crash", "terminate"])
def test_restarts_lose_nothing_that_was_acknowledged(tmp_path: Path, database: PostgresServer, how: str) -> None:
    with settled(tmp_path, database.create(), accounts=PLAYERS + 1) as site:
        node = site.start()
        referee = Referee(site, PLAYERS)
        players = players_of(referee, [node.port])

        def abuse() -> None:
            if how == "terminate":
                site.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
                return
            database.stop() if how == "stop" else database.crash()
            database.start()

        mistreat(players, abuse, times=4)

        async def settle() -> None:
            for player in players:
                await player.settle()
            assert await until_healthy(node) < HEALTHY_WITHIN

        asyncio.run(settle())
        verdict = referee.judge()
        assert not verdict.breaches
        assert referee.total(Fate.DONE) > 50
        # A restart is felt; connections cut between two calls are mended unseen.
        assert how == "terminate" or referee.total(Fate.AWAY) > 0
        assert referee.total(Fate.LOST) == 0, "the server answers, whatever its database does"


def test_it_starts_before_its_database(tmp_path: Path, database: PostgresServer) -> None:
    with settled(tmp_path, database.create(), accounts=PLAYERS + 1) as site:
        database.stop()
        node = site.launch()

        async def play() -> None:
            caller = Caller([node.port])
            began = time.monotonic()
            while (await caller.call("GET", "/livez")).status != 200:
                assert time.monotonic() - began < 10
                await asyncio.sleep(0.05)
            for _ in range(5):
                assert (await caller.call("GET", "/livez")).status == 200
                assert (await caller.call("GET", "/readyz")).status == 503
                assert (await caller.login(username(0), PASSWORD)).fate is Fate.AWAY
                await asyncio.sleep(0.1)

        asyncio.run(play())
        database.start()
        assert asyncio.run(until_healthy(node)) < 10
        assert node.process.poll() is None
        assert node.stop() == 0


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://nobody:wrong@127.0.0.1:1/none", "not ready"),
        ("sqlite:////proc/menshen.db", "menshen: "),
    ],
)
def test_what_waiting_does_not_cure_is_said(tmp_path: Path, url: str, sentence: str) -> None:
    site = Site(tmp_path / "data", url)
    node = site.launch()
    try:
        if url.startswith("postgresql"):
            give_up = time.monotonic() + 30
            while "database.unavailable" not in node.log.read_text():
                assert time.monotonic() < give_up
                time.sleep(0.05)
            assert node.process.poll() is None
            assert "wrong" not in node.log.read_text()
        else:
            assert node.process.wait(20) == 1
            assert sentence in node.log.read_text()
            assert "Traceback" not in node.log.read_text()
    finally:
        site.close()


def test_a_newer_schema_is_refused_by_a_sentence(tmp_path: Path, postgres_url: str) -> None:
    with settled(tmp_path, postgres_url, accounts=1) as site:
        site.run("UPDATE alembic_version SET version_num = '9999'; UPDATE installation SET oldest_program = '9999'")
        node = site.launch()
        assert node.process.wait(20) == 1
        text = node.log.read_text()
        assert "run a newer menshen" in text
        assert "Traceback" not in text


@contextmanager
def hung(server: PostgresServer) -> Iterator[None]:
    """Every process of the server stands still."""
    assert server._process
    main = server._process.pid
    children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
    pids = [main, *map(int, children)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                continue


def test_a_hung_database_is_answered_for_in_bounded_time(tmp_path: Path, database: PostgresServer) -> None:
    """Within 8 s at first, at once when it is known; nothing is left over afterwards."""
    with settled(tmp_path, database.create(), accounts=PLAYERS + 1) as site:
        node = site.start()
        referee = Referee(site, PLAYERS)
        players = players_of(referee, [node.port])

        async def play() -> tuple[float, float]:
            for player in players:
                assert await player.step("login") is Fate.DONE
            before = threads_of(node)
            caller = Caller([node.port])
            with hung(database):
                calls = [caller.login(username(PLAYERS), PASSWORD) for _ in range(30)]
                calls += [caller.check(p.claims.live[0]) for p in players if p.claims.live]
                told = await asyncio.gather(*calls)
                assert {t.fate for t in told} <= {Fate.AWAY, Fate.DONE}
                assert all(t.fate is Fate.AWAY for t in told[:30])
                first = max(t.seconds for t in told)
                await asyncio.sleep(0.4)
                known = await asyncio.gather(*(caller.login(username(PLAYERS), PASSWORD) for _ in range(20)))
                assert all(t.fate is Fate.AWAY for t in known)
                assert (await caller.call("GET", "/livez")).status == 200
                assert (await caller.call("GET", "/readyz")).status == 503
                later = sorted(t.seconds for t in known)[len(known) // 2]
            healthy = await until_healthy(node)
            assert healthy < HEALTHY_WITHIN
            assert threads_of(node) <= before + 2
            return first, later

        first, later = asyncio.run(play())
        assert first < 8
        assert later < 1
        assert not [b for b in referee.judge().breaches if not b.startswith("R11")]
        connections = site.rows("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'menshen'")
        assert connections[0][0] <= 12


def test_a_read_only_database_still_checks_tokens(tmp_path: Path, database: PostgresServer) -> None:
    url = database.create()
    name = url.partition("@/")[2].partition("?")[0]
    with settled(tmp_path, url, accounts=PLAYERS + 1) as site:
        node = site.start()
        referee = Referee(site, 2)
        players = players_of(referee, [node.port])

        async def play() -> None:
            for player in players:
                assert await player.step("login") is Fate.DONE
            change = f'ALTER DATABASE "{name}" SET default_transaction_read_only'
            cut = (
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'menshen' AND pid <> pg_backend_pid()"
            )
            await asyncio.to_thread(site.run, f"{change} = on")
            await asyncio.to_thread(site.run, cut)
            await asyncio.sleep(1.2)
            caller = Caller([node.port])
            assert (await caller.call("GET", "/readyz")).status == 503
            for player in players:
                assert player.claims.live
                assert (await caller.check(player.claims.live[0])).fate is Fate.DONE
                assert (await caller.login(username(player.number), PASSWORD)).fate is Fate.AWAY
                assert (await caller.refresh(*player.claims.live)).fate is Fate.AWAY
            await asyncio.to_thread(site.run, "SET default_transaction_read_only = off", f"{change} = off")
            assert await until_healthy(node) < HEALTHY_WITHIN
            for player in players:
                assert await player.step("refresh") is Fate.DONE

        asyncio.run(play())
        assert not referee.judge().breaches


def test_two_connections_serve_a_hundred_clients_while_one_query_is_slow(tmp_path: Path, postgres_url: str) -> None:
    """F17: somebody holds an account's row; its owner waits or hears 503, everybody else logs in."""
    with settled(tmp_path, postgres_url, accounts=PLAYERS + 1, MENSHEN_STORAGE__POOL_SIZE="2") as site:
        node = site.start()
        referee = Referee(site, PLAYERS)

        async def play() -> None:
            import asyncpg

            caller = Caller([node.port])
            holder = await asyncpg.connect(postgres_url)
            try:
                held = holder.transaction()
                await held.start()
                await holder.execute("SELECT 1 FROM accounts WHERE username = $1 FOR UPDATE", username(0))
                stuck = asyncio.create_task(caller.login(username(0), PASSWORD))
                await asyncio.sleep(0.2)
                others = await asyncio.gather(
                    *(caller.login(username(1 + n % (PLAYERS - 1)), PASSWORD, f"p{n}") for n in range(100))
                )
                assert {t.fate for t in others} == {Fate.DONE}
                told = await stuck
                assert told.fate is Fate.AWAY
                assert told.seconds < 6
                await held.rollback()
            finally:
                await holder.close()
            assert await until_healthy(node) < 5

        asyncio.run(play())
        assert not [b for b in referee.judge().breaches if not b.startswith("R11")]
        idle = site.rows("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'")
        assert idle == [(0,)]
