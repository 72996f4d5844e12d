"""F3, F4, F5, F9, F17: PostgreSQL restarted, killed, missing at the start, hung, read-only, and too slow."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.faults.caller import Caller, Fate
from tests.faults.players import Player
from tests.faults.referee import Referee
from tests.faults.site import PASSWORD, Site, settled, username
from tests.faults.waiting import until, wait_until
from tests.patience import AS_SHIPPED, PATIENT
from tests.postgres import PostgresServer
from tests.server import Server

PLAYERS = 8
HEALTHY_WITHIN = 30.0
"""R10: seconds after the fault's end."""


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
    caller = Caller([node.port])

    async def is_healthy() -> bool:
        ready = await caller.call("GET", "/readyz")
        return ready.status == 200 and (await caller.login(username(PLAYERS), PASSWORD)).fate is Fate.DONE

    return await until(is_healthy, every=0.05)


async def until_answer(caller: Caller, path: str, status: int) -> float:
    """Seconds until a GET of `path` is answered so."""

    async def is_answered() -> bool:
        return (await caller.call("GET", path)).status == status

    return await until(is_answered, every=0.05)


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
    wanted = referee.total(Fate.DONE) + more
    while (before := referee.total(Fate.DONE)) < wanted:
        wait_until(partial(referee.has_done_more, before))


HOW = pytest.mark.parametrize("how", ["stop", "crash", "terminate"])


@HOW
def test_restarts_lose_nothing_that_was_acknowledged(tmp_path: Path, database: PostgresServer, how: str) -> None:
    restart(tmp_path, database, how)


@pytest.mark.timing
@HOW
def test_it_is_healthy_soon_after_restarts(tmp_path: Path, database: PostgresServer, how: str) -> None:
    assert restart(tmp_path, database, how) < HEALTHY_WITHIN


def restart(folder: Path, database: PostgresServer, how: str) -> float:
    """Four times in the middle of everything; the seconds until it is healthy at the end."""
    with settled(folder, database.create(), accounts=PLAYERS + 1) as site:
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

        async def settle() -> float:
            for player in players:
                await player.settle()
            return await until_healthy(node)

        healthy = asyncio.run(settle())
        verdict = referee.judge()
        assert not verdict.breaches
        assert referee.total(Fate.DONE) > 50
        # A restart is felt; connections cut between two calls are mended unseen.
        assert how == "terminate" or referee.total(Fate.AWAY) > 0
        assert referee.total(Fate.LOST) == 0, "the server answers, whatever its database does"
    return healthy


def test_it_starts_before_its_database(tmp_path: Path, database: PostgresServer) -> None:
    start_before(tmp_path, database)


@pytest.mark.timing
def test_it_starts_in_time_before_its_database(tmp_path: Path, database: PostgresServer) -> None:
    alive, healthy = start_before(tmp_path, database)
    assert alive < 10
    assert healthy < 10


def start_before(folder: Path, database: PostgresServer) -> tuple[float, float]:
    """Alive and not ready until the database comes. Seconds until it is alive, and from then until it is healthy."""
    with settled(folder, database.create(), accounts=PLAYERS + 1) as site:
        database.stop()
        node = site.launch()

        async def play() -> float:
            caller = Caller([node.port])
            alive = await until_answer(caller, "/livez", 200)
            for _ in range(5):
                assert (await caller.call("GET", "/livez")).status == 200
                assert (await caller.call("GET", "/readyz")).status == 503
                assert (await caller.login(username(0), PASSWORD)).fate is Fate.AWAY
                await asyncio.sleep(0.1)
            return alive

        alive = asyncio.run(play())
        database.start()
        healthy = asyncio.run(until_healthy(node))
        assert node.process.poll() is None
        assert node.stop() == 0
    return alive, healthy


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
            wait_until(lambda: "database.unavailable" in node.log.read_text())
            assert node.process.poll() is None
            assert "wrong" not in node.log.read_text()
        else:
            assert node.process.wait(60) == 1
            assert sentence in node.log.read_text()
            assert "Traceback" not in node.log.read_text()
    finally:
        site.close()


def test_a_newer_schema_is_refused_by_a_sentence(tmp_path: Path, postgres_url: str) -> None:
    with settled(tmp_path, postgres_url, accounts=1) as site:
        site.run("UPDATE alembic_version SET version_num = '9999'; UPDATE installation SET oldest_program = '9999'")
        node = site.launch()
        assert node.process.wait(60) == 1
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
    hang(tmp_path, database)


@pytest.mark.timing
def test_a_hung_database_is_answered_for_soon(tmp_path: Path, database: PostgresServer) -> None:
    """Within 8 s at first, at once when it is known."""
    first, later, healthy = hang(tmp_path, database)
    assert first < 8
    assert later < 1
    assert healthy < HEALTHY_WITHIN


def hang(folder: Path, database: PostgresServer) -> tuple[float, float, float]:
    """Everybody hears 503, and nothing is left over afterwards.

    Seconds of the slowest answer at first, of the median when it is known, and until it is healthy.
    """
    with settled(folder, database.create(), accounts=PLAYERS + 1) as site:
        node = site.start()
        referee = Referee(site, PLAYERS)
        players = players_of(referee, [node.port])

        async def play() -> tuple[float, float, float]:
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
            assert threads_of(node) <= before + 2
            return first, later, healthy

        found = asyncio.run(play())
        assert not [b for b in referee.judge().breaches if not b.startswith("R11")]
        # The server ends those that were given up when it next looks.
        connections = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'menshen'"
        wait_until(lambda: site.rows(connections)[0][0] <= 12)
    return found


def test_a_read_only_database_still_checks_tokens(tmp_path: Path, database: PostgresServer) -> None:
    turn_read_only(tmp_path, database)


@pytest.mark.timing
def test_it_is_healthy_soon_after_it_was_read_only(tmp_path: Path, database: PostgresServer) -> None:
    assert turn_read_only(tmp_path, database) < HEALTHY_WITHIN


def turn_read_only(folder: Path, database: PostgresServer) -> float:
    """For a while; the seconds until it is healthy afterwards."""
    url = database.create()
    name = url.partition("@/")[2].partition("?")[0]
    with settled(folder, url, accounts=PLAYERS + 1) as site:
        node = site.start()
        referee = Referee(site, 2)
        players = players_of(referee, [node.port])

        async def play() -> float:
            for player in players:
                assert await player.step("login") is Fate.DONE
            change = f'ALTER DATABASE "{name}" SET default_transaction_read_only'
            # With its end waited for: told to go, a connection of before may go on for a moment.
            cut = (
                "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity "
                "WHERE application_name = 'menshen' AND pid <> pg_backend_pid()"
            )
            await asyncio.to_thread(site.run, f"{change} = on")
            await asyncio.to_thread(site.run, cut)
            caller = Caller([node.port])
            await until_answer(caller, "/readyz", 503)
            for player in players:
                assert player.claims.live
                assert (await caller.check(player.claims.live[0])).fate is Fate.DONE
                assert (await caller.login(username(player.number), PASSWORD)).fate is Fate.AWAY
                assert (await caller.refresh(*player.claims.live)).fate is Fate.AWAY
            await asyncio.to_thread(site.run, "SET default_transaction_read_only = off", f"{change} = off")
            healthy = await until_healthy(node)
            for player in players:
                assert await player.step("refresh") is Fate.DONE
            return healthy

        healthy = asyncio.run(play())
        assert not referee.judge().breaches
    return healthy


def test_two_connections_serve_a_hundred_clients_while_one_query_is_slow(tmp_path: Path, postgres_url: str) -> None:
    crowd_two_connections(
        tmp_path, postgres_url, PATIENT | {"MENSHEN_PATIENCE__LOCK": AS_SHIPPED["MENSHEN_PATIENCE__LOCK"]}
    )


@pytest.mark.timing
def test_two_connections_serve_a_hundred_clients_in_time(tmp_path: Path, postgres_url: str) -> None:
    """None of them waits so long for a connection that it is refused."""
    stuck, healthy = crowd_two_connections(tmp_path, postgres_url, AS_SHIPPED)
    assert stuck < 6
    assert healthy < 5


def crowd_two_connections(folder: Path, url: str, extra: Mapping[str, str]) -> tuple[float, float]:
    """F17: somebody holds an account's row; its owner waits and hears 503, everybody else logs in.

    Seconds that the owner waited, and until it is healthy afterwards.
    """
    with settled(folder, url, PLAYERS + 1, **(dict(extra) | {"MENSHEN_STORAGE__POOL_SIZE": "2"})) as site:
        node = site.start()
        referee = Referee(site, PLAYERS)

        async def play() -> tuple[float, float]:
            import asyncpg

            caller = Caller([node.port])
            holder = await asyncpg.connect(url)
            try:
                held = holder.transaction()
                await held.start()
                await holder.execute("SELECT 1 FROM accounts WHERE username = $1 FOR UPDATE", username(0))
                stuck = asyncio.create_task(caller.login(username(0), PASSWORD))
                waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
                await until(lambda: holder.fetchval(waiting))
                others = await asyncio.gather(
                    *(caller.login(username(1 + n % (PLAYERS - 1)), PASSWORD, f"p{n}") for n in range(100))
                )
                assert {t.fate for t in others} == {Fate.DONE}
                told = await stuck
                assert told.fate is Fate.AWAY
                await held.rollback()
            finally:
                await holder.close()
            return told.seconds, await until_healthy(node)

        found = asyncio.run(play())
        assert not [b for b in referee.judge().breaches if not b.startswith("R11")]
        idle = site.rows("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'")
        assert idle == [(0,)]
    return found
