"""Two nodes behind PgBouncer: logins, refreshes, revocations that the other node hears, and fifty racers."""

from __future__ import annotations

import asyncio
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.pooled.pgbouncer import pooler, through
from tests.faults.caller import Caller, Fate
from tests.faults.players import Player, deal_codes, until_done
from tests.faults.referee import Referee
from tests.faults.site import PASSWORD, Site, settled, username
from tests.faults.waiting import until, wait_until
from tests.patience import CROWD, PATIENT
from tests.postgres import PostgresServer
from tests.server import MENSHEN

pytestmark = pytest.mark.deploy

PLAYERS = 6
MODES = ["session", "transaction"]


@pytest.fixture(params=[(mode, direct) for mode in MODES for direct in (False, True)], ids=str)
def site(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> Iterator[Site]:
    """Two nodes, with and without the server's own address for what must not wait in the pooler's queue."""
    mode, direct = request.param
    # In transaction mode a few connections serve both; in session mode each connection of a node needs its own.
    size = "default_pool_size = 150" if mode == "session" else "default_pool_size = 6"
    with pooler(postgres_server, mode, size) as port:
        extra = PATIENT | {"MENSHEN_STORAGE__URL": through(port, postgres_url)}
        extra |= {"MENSHEN_STORAGE__DIRECT_URL": postgres_url} if direct else {}
        with settled(tmp_path, postgres_url, PLAYERS, **extra) as made:
            made.start()
            made.start()
            yield made


def test_what_clients_do_on_two_nodes_behind_a_pooler(site: Site) -> None:
    """Every call goes to the other node than the one before; the referee compares all with the database."""
    kinds = {"login done", "refresh done", "password done", "code done", "logout done"}
    ports = [node.port for node in site.nodes]
    referee = Referee(site, PLAYERS)
    luck = random.Random(5)
    players = [Player(n, Caller(ports, turn=n), referee, luck) for n in range(PLAYERS)]

    async def play() -> None:
        for player in players:
            await player.fetch_code()
        await asyncio.to_thread(deal_codes, players)
        over = asyncio.Event()
        calls = ("login", "refresh", "check", "password", "code", "logout")
        games = [asyncio.create_task(player.play(over, calls)) for player in players]
        await until_done(referee, 150)
        await until(lambda: set(referee.fates) >= kinds)
        over.set()
        await asyncio.gather(*games)

    asyncio.run(play())
    assert not referee.judge().breaches
    assert referee.total(Fate.AWAY) + referee.total(Fate.LOST) + referee.total(Fate.FAULT) == 0
    # The memory of checks was confirmed through the pooler too.
    for node in site.nodes:
        assert "revocations.silent" not in node.log.read_text()


def test_what_ends_on_one_node_is_refused_by_the_other_behind_a_pooler(site: Site) -> None:
    async def play() -> None:
        here, there = (Caller([node.port]) for node in site.nodes)
        token = (await here.login(username(0), PASSWORD)).body["data"]["token"]["token"]
        for _ in range(5):
            assert (await there.check(token)).fate is Fate.DONE
        assert (await here.log_out(token)).fate is Fate.DONE

        async def is_refused() -> bool:
            return (await there.check(token)).fate is Fate.REFUSED

        await until(is_refused, every=0.01)

    asyncio.run(play())


def test_fifty_logins_race_on_two_nodes_behind_a_pooler(site: Site) -> None:
    async def race() -> list[str]:
        caller = Caller([node.port for node in site.nodes])
        told = await asyncio.gather(*(caller.login(username(1), PASSWORD) for _ in range(CROWD)))
        assert {one.fate for one in told} <= {Fate.DONE, Fate.REFUSED, Fate.AWAY}
        tokens = [one.body["data"]["token"]["token"] for one in told if one.fate is Fate.DONE]
        assert tokens
        live = [token for token in tokens if (await caller.check(token)).fate is Fate.DONE]
        assert len(live) == 1
        return live

    asyncio.run(race())
    assert site.rows("SELECT count(*) FROM sessions WHERE account_number = 2") == [(1,)]


@pytest.mark.parametrize("lines", [(), ("ignore_startup_parameters = statement_timeout, synchronous_commit",)])
def test_a_pooler_of_the_wrong_kind_ends_the_start_with_a_sentence(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str, lines: tuple[str, ...]
) -> None:
    with pooler(postgres_server, "statement", *lines) as port:
        site = Site(tmp_path / "data", through(port, postgres_url), PATIENT)
        node = site.launch()
        assert node.process.wait(60) == 1
        told = node.log.read_text()
        assert f"the pooler at 127.0.0.1 port {port}" in told
        assert "pool_mode = statement: transaction or session is needed" in told
        assert "Traceback" not in told
        command: list[str | Path] = [MENSHEN, "check", "--data", str(site.data)]
        done = subprocess.run(command, env=site.start_environ, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "pool_mode = statement" in done.stderr


def test_a_direct_address_of_another_database_ends_the_start(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    with pooler(postgres_server, "transaction") as port:
        other = postgres_server.create()
        extra = PATIENT | {"MENSHEN_STORAGE__DIRECT_URL": other}
        site = Site(tmp_path / "data", through(port, postgres_url), extra)
        node = site.launch()
        assert node.process.wait(60) == 1
        assert "is another database than that of [storage] url" in node.log.read_text()
        postgres_server.drop(other)


def test_a_pooler_that_comes_later_is_waited_for(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    with pooler(postgres_server, "transaction") as port:
        address = through(port, postgres_url)
    site = Site(tmp_path / "data", postgres_url, PATIENT | {"MENSHEN_STORAGE__URL": address})
    node = site.launch()
    try:
        wait_until(lambda: f"nobody listens at 127.0.0.1 port {port}" in node.log.read_text())
        with pooler(postgres_server, "transaction", port=port):
            wait_until(lambda: "database.available" in node.log.read_text())
            assert node.call("GET", "/readyz").status == 200
    finally:
        site.close()
