"""F16 from the very first schema with an installation's data in it: nobody is logged out, and codes stay good.

How an older program goes on beside a newer one: `test_rolling_upgrade.py`.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import asyncpg
import pytest

from menshen.adapters.storage.sql.schema.migrate import HEAD, migrate_postgres, migrate_sqlite
from tests.faults.caller import Caller, Fate
from tests.faults.players import Player, deal_codes
from tests.faults.referee import Referee
from tests.faults.site import PASSWORD, Site, phone, settled, username
from tests.faults.waiting import open_files, wait_until
from tests.nodes.first_schema import FIRST, content, to_first_schema, to_first_schema_of_postgres
from tests.nodes.test_first_start import ready
from tests.patience import LONG, PATIENT
from tests.postgres import PostgresServer
from tests.server import Server

ROOT = Path(__file__).parents[2]
PLAYERS = 3
OLD_WRITER = "INSERT INTO audit (at, tag, account_number) VALUES ({}, 'account.registered', 1)"
KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from menshen.adapters.storage.sql.schema import migrate
from tests.patience import LONG

def killed(script, each=migrate._statements):
    statements = list(each(script))
    for n, statement in enumerate(statements):
        if n == int(float(sys.argv[2]) * (len(statements) - 1)):
            os.kill(os.getpid(), signal.SIGKILL)
        yield statement

whole = migrate.script
if sys.argv[1].startswith("postgresql"):
    migrate.script = lambda *args: whole(*args) + "; SELECT pg_sleep(60)"
    asyncio.run(migrate.migrate_postgres(sys.argv[1], LONG))
else:
    migrate._statements = killed
    migrate.migrate_sqlite(Path(sys.argv[1]), LONG)
"""


@dataclass
class Old:
    """A site on schema 0001, and what its clients hold."""

    site: Site
    referee: Referee
    players: list[Player]
    captchas: dict[int, tuple[str, str]]


@pytest.fixture(params=["sqlite", "postgresql"])
def old(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str, request: pytest.FixtureRequest
) -> Iterator[Old]:
    on_postgres = request.param == "postgresql"
    with settled(tmp_path, postgres_url if on_postgres else "", PLAYERS + 1, **PATIENT) as site:
        made = live_a_little(site)
        if on_postgres:
            site.url = postgres_server.create()
            asyncio.run(to_first_schema_of_postgres(postgres_url, site.url))
        else:
            to_first_schema(site)
        assert site.rows("SELECT version_num FROM alembic_version") == [(FIRST,)]
        assert {table for table, rows in content(site).items() if rows} >= {
            "accounts", "apps", "audit", "codes", "counters", "outbox", "sessions", "spent_refreshes",
        }  # fmt: skip
        yield made
        site.close()
        if on_postgres:
            postgres_server.drop(site.url)


def live_a_little(site: Site) -> Old:
    """Sessions that are live, ended and refreshed; codes that are spent and in flight."""
    node = site.start()
    referee = Referee(site, PLAYERS)
    players = [Player(n, Caller([node.port]), referee, random.Random(n)) for n in range(PLAYERS)]

    async def play() -> None:
        for player in players:
            await player.fetch_code()
        await asyncio.to_thread(deal_codes, players)
        for player in players:
            # One code is spent; a new password ends the others', and new ones follow.
            for what in ("login", "refresh", *(["code"] if player.number == 0 else []), "password", "refresh"):
                assert await player.step(what) is Fate.DONE, what
            await player.fetch_code()
        await asyncio.to_thread(deal_codes, players)

    asyncio.run(play())
    assert node.stop() == 0
    return Old(site, referee, players, {p.number: (p.code, p.captcha) for p in players})


@contextmanager
def writing(site: Site) -> Iterator[None]:
    """An old program's transaction is open, and is committed at the end of the block."""
    began, over = threading.Event(), threading.Event()
    now = int(time.time() * 1000)

    def on_sqlite() -> None:
        with closing(sqlite3.connect(site.data / "menshen.db", isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(OLD_WRITER.format(now))
            began.set()
            over.wait()
            connection.execute("COMMIT")

    async def on_postgres() -> None:
        connection = await asyncpg.connect(site.url)
        async with connection.transaction():
            await connection.execute(OLD_WRITER.format(now))
            await connection.execute("SELECT 1 FROM sessions FOR UPDATE")
            began.set()
            await asyncio.to_thread(over.wait)
        await connection.close()

    writer = threading.Thread(target=(lambda: asyncio.run(on_postgres())) if site.url else on_sqlite)
    writer.start()
    assert began.wait(60)
    try:
        yield
    finally:
        over.set()
        writer.join(60)


def have_come(site: Site, nodes: list[Server]) -> bool:
    """Whether each has opened the file; on PostgreSQL, whether one waits or was not held up at all."""
    if site.url:
        waiting = site.rows("SELECT 1 FROM pg_locks WHERE NOT granted")
        return bool(waiting) or site.rows("SELECT version_num FROM alembic_version") == [(HEAD,)]
    wanted = str((site.data / "menshen.db").resolve())
    return all(wanted in open_files(node.process.pid) for node in nodes)


def test_two_nodes_start_at_once_on_it_while_an_old_writer_is_at_work(old: Old) -> None:
    """They wait for it, migrate once, serve, and find everything as their clients left it."""
    site, players = old.site, old.players
    registered = "SELECT count(*) FROM audit WHERE tag = 'account.registered'"
    ((before,),) = site.rows(registered)
    with writing(site):
        nodes = [site.launch(), site.launch()]
        wait_until(lambda: have_come(site, nodes))
        # So long it must do nothing but wait.
        time.sleep(1)
    for node in nodes:
        ready(node)
    assert site.rows("SELECT version_num FROM alembic_version") == [(HEAD,)]
    assert site.rows(registered) == [(before + 1,)]
    for player in players:
        player.caller.ports = [node.port for node in nodes]

    async def go_on() -> None:
        for player in players:
            assert player.claims.live
            assert await player.step("check") is Fate.DONE
            for ended in player.claims.ended:
                assert (await player.caller.check(ended)).fate is Fate.REFUSED
            # The code that was on its way lets in, once; `_code` holds that against a second time.
            assert await player.step("code") is Fate.DONE
            for what in ("refresh", "check", "password", "refresh", "logout", "login"):
                assert await player.step(what) is Fate.DONE, what
        spent = await players[0].caller.login_by_code(phone(0), *old.captchas[0])
        assert spent.fate is Fate.REFUSED
        assert (await players[0].caller.login(username(PLAYERS), PASSWORD)).fate is Fate.DONE

    asyncio.run(go_on())
    for node in nodes:
        assert node.stop() == 0
        assert "Traceback" not in node.log.read_text("utf-8")
    # The old writer's row tells of no session; everything else is judged.
    assert not old.referee.judge().breaches


def test_killed_in_the_middle_it_has_not_happened_and_is_done_by_the_next(old: Old) -> None:
    site = old.site
    before = content(site)
    where = site.url or str(site.data / "menshen.db")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    # PostgreSQL gets its script as a whole: there it is killed at the end of it.
    for part in (1.0,) if site.url else (0.0, 0.5, 1.0):
        process = subprocess.Popen([sys.executable, "-c", KILLED, where, str(part)], env=environment)
        if site.url:
            asleep = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
            wait_until(partial(site.rows, asleep))
            process.kill()
            # The server ends the sleep of a client that is gone when it next looks; a person would not wait for it.
            site.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert process.wait(60) == -signal.SIGKILL
        assert content(site) == before
    assert asyncio.run(migrate_postgres(where, LONG)) if site.url else migrate_sqlite(Path(where), LONG)
    after = content(site)
    for table, rows in before.items():
        assert len(after[table]) == len(rows), table
    assert after["alembic_version"] == [(HEAD,)]


def test_a_program_that_is_too_old_for_it_says_so_and_changes_nothing(old: Old) -> None:
    """A downgrade beyond what the schema suffers: one sentence, and the way out of it."""
    site = old.site
    done = asyncio.run(migrate_postgres(site.url, LONG)) if site.url else migrate_sqlite(site.data / "menshen.db", LONG)
    assert done
    marks = ("UPDATE alembic_version SET version_num = '9999'", "UPDATE installation SET oldest_program = '9999'")
    if site.url:
        site.run(*marks)
    else:
        with closing(sqlite3.connect(site.data / "menshen.db")) as connection:
            connection.executescript(";".join(marks))
    before = content(site)
    # What it says stands after what the server said while the installation was made.
    node = site.launch(log=site.data.parent / "refused.log")
    assert node.process.wait(60) == 1
    (line,) = node.log.read_text("utf-8").strip().splitlines()
    assert line.startswith("menshen: ")
    assert "run a newer menshen, or restore a backup made before the upgrade" in line
    assert content(site) == before
