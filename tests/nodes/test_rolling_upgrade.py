"""F16: an older program and this one side by side on one database, while the schema moves under both.

The older programs are real: they are taken out of this repository's history. The one of schema 0003 makes its data by
itself. The one of schema 0001 is the oldest that serves on both databases; it has no command line yet, so a few lines
here start it, on rows as `first_schema.py` leaves them.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from menshen.adapters.storage.sql.schema.migrate import HEAD
from tests.faults.caller import Caller, Fate
from tests.faults.players import Player, until_done
from tests.faults.referee import Referee
from tests.faults.site import APPKEY, PASSWORD, SECRET, Site, phone, settled, username
from tests.nodes.first_schema import FIRST, to_first_schema, to_first_schema_of_postgres
from tests.nodes.test_first_start import ready
from tests.patience import PATIENT
from tests.postgres import PostgresServer
from tests.server import MENSHEN, Server, free_port

OLDER = "f91a10e"
"""A commit whose `menshen serve` works, at schema 0003."""

FIRST_PROGRAM = "998c51a"
"""A commit at schema 0001, the first that serves on PostgreSQL too."""

SERVE = """
import asyncio, os, sys
from pathlib import Path
import uvicorn
from menshen.app.asgi import background, create_asgi
from menshen.app.assemble import assemble
from menshen.app.installation import prepare_folder, read_keys
from menshen.app.settings import load_settings
from menshen.app.world import SystemWorld

async def serve(data, port):
    limits = type(load_settings(None, {}, data).limits).__struct_fields__
    known = {
        name: value for name, value in os.environ.items()
        if not name.startswith("MENSHEN_LIMITS__") or name.partition("__")[2].lower() in limits
    }
    settings, world = load_settings(None, known, data), SystemWorld()
    prepare_folder(settings)
    async with assemble(settings, read_keys(settings, world), world) as assembled, background(assembled, settings):
        app = create_asgi(assembled, settings)
        await uvicorn.Server(uvicorn.Config(app, port=port, lifespan="off", log_level="warning")).serve()

asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
"""

ROOT = Path(__file__).parents[2]
PLAYERS = 6
CALLS = ("login", "refresh", "refresh", "password", "check", "logout")


def older_program(folder: Path, commit: str) -> str:
    """The sources of an older program; what to put into PYTHONPATH."""
    done = subprocess.run(
        ["git", "-C", str(ROOT), "archive", "--format=tar", commit, "src"], capture_output=True, check=False
    )
    if done.returncode:
        pytest.fail(f"this test needs git and the commit {commit} of this repository's history: {done.stderr.decode()}")
    folder.mkdir()
    subprocess.run(["tar", "-x", "-C", folder], input=done.stdout, check=True)
    return str(folder / "src")


def environment_of(site: Site, program: str) -> dict[str, str]:
    """What an older program can take: how long it waits was no setting then."""
    known = {name: value for name, value in site.start_environ.items() if not name.startswith("MENSHEN_PATIENCE__")}
    return known | {"PYTHONPATH": program}


def by(site: Site, program: str, *arguments: str, stdin: str = "") -> str:
    done = subprocess.run(
        [MENSHEN, *arguments, "--data", str(site.data)],
        env=environment_of(site, program), input=stdin,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def launch(site: Site, program: str, *command: str | Path, port: int | None = None) -> Server:
    """Start an older program by a command that takes a port at its end, without waiting for anything."""
    port = port or free_port()
    log = site.data.parent / "older.log"
    environ = environment_of(site, program)
    with log.open("ab") as out:
        process = subprocess.Popen([*command, str(port)], env=environ, stdout=out, stderr=out)
    node = Server(site.data, port, process, environ, log)
    site.nodes.append(node)
    return node


@pytest.mark.long
@pytest.mark.parametrize("store", ["postgresql", "sqlite"])
def test_old_and_new_side_by_side(tmp_path: Path, postgres_url: str, store: str) -> None:
    old = older_program(tmp_path / "older", OLDER)
    site = Site(tmp_path / "data", postgres_url if store == "postgresql" else "", dict(PATIENT))
    try:
        by(site, old, "app", "add", "faults", "--appkey", APPKEY, "--secret", SECRET, "--captcha", "never")
        for number in range(PLAYERS):
            by(
                site, old, "account", "add", "--username", username(number), "--phone", phone(number), "--verified",
                "--password-stdin", stdin=PASSWORD,
            )  # fmt: skip
        assert site.rows("SELECT version_num FROM alembic_version") == [("0003",)]
        first = launch(site, old, MENSHEN, "serve", "--data", site.data, "--port")
        ready(first)
        referee = Referee(site, PLAYERS)
        random_bits = random.Random(12)
        players = [Player(n, Caller([first.port], turn=n), referee, random_bits) for n in range(PLAYERS)]

        async def rehearse() -> None:
            over = asyncio.Event()
            games = [asyncio.create_task(p.play(over, CALLS)) for p in players]
            await until_done(referee, 60)
            # The new program comes, and moves the schema under the old one's feet.
            second = await asyncio.to_thread(site.start)
            for player in players:
                player.caller.ports = [first.port, second.port]
            await until_done(referee, 100)
            # The old one crashes in the middle of it all, and may come back.
            first.process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(first.process.wait, 60)
            again = launch(site, old, MENSHEN, "serve", "--data", site.data, "--port", port=first.port)
            await asyncio.to_thread(ready, again)
            await until_done(referee, 100)
            over.set()
            await asyncio.gather(*games)
            assert await asyncio.to_thread(again.stop) == 0
            third = await asyncio.to_thread(site.start)
            for player in players:
                player.caller.ports = [second.port, third.port]
                await player.settle()
                assert await player.step("login") is Fate.DONE
                assert await player.step("refresh") is Fate.DONE

        asyncio.run(rehearse())
        assert site.rows("SELECT version_num FROM alembic_version") == [(HEAD,)]
        print(store, json.dumps(referee.fates))
        assert not referee.judge().breaches
        assert referee.total(Fate.DONE) > 200
    finally:
        site.close()


@pytest.mark.long
@pytest.mark.parametrize("store", ["postgresql", "sqlite"])
def test_the_very_first_program_goes_on_beside_this_one(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str, store: str
) -> None:
    """It goes on while the schema moves from 0001 to today's; it cannot start on that, and says so."""
    program = older_program(tmp_path / "first", FIRST_PROGRAM)
    with settled(tmp_path, postgres_url if store == "postgresql" else "", PLAYERS, **PATIENT) as site:
        if store == "postgresql":
            site.url = postgres_server.create()
            asyncio.run(to_first_schema_of_postgres(postgres_url, site.url))
        else:
            to_first_schema(site)
        first = launch(site, program, sys.executable, "-c", SERVE, site.data)
        ready(first)
        referee = Referee(site, PLAYERS)
        random_bits = random.Random(13)
        players = [Player(n, Caller([first.port], turn=n), referee, random_bits) for n in range(PLAYERS)]

        async def rehearse() -> None:
            over = asyncio.Event()
            games = [asyncio.create_task(p.play(over, CALLS)) for p in players]
            await until_done(referee, 60)
            assert await asyncio.to_thread(site.rows, "SELECT version_num FROM alembic_version") == [(FIRST,)]
            second = await asyncio.to_thread(site.start)
            assert await asyncio.to_thread(site.rows, "SELECT version_num FROM alembic_version") == [(HEAD,)]
            for player in players:
                player.caller.ports = [first.port, second.port]
            await until_done(referee, 200)
            first.kill()
            for player in players:
                player.caller.ports = [second.port]
            again = launch(site, program, sys.executable, "-c", SERVE, site.data)
            assert await asyncio.to_thread(again.process.wait, 60) != 0
            assert "run a newer menshen" in again.log.read_text("utf-8")
            await until_done(referee, 60)
            over.set()
            await asyncio.gather(*games)
            for player in players:
                await player.settle()
                assert await player.step("login") is Fate.DONE
                assert await player.step("refresh") is Fate.DONE

        asyncio.run(rehearse())
        print(store, json.dumps(referee.fates))
        assert not referee.judge().breaches
