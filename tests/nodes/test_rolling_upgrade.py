"""F16: an older program and this one side by side on one database, while the schema moves under both.

The older program is real: it is taken out of this repository's history. Its data is made by itself.
"""

from __future__ import annotations

import asyncio
import io
import json
import random
import signal
import subprocess
import tarfile
from pathlib import Path

import pytest

from menshen.storage.sql.migrate import HEAD
from tests.faults.caller import Caller, Fate
from tests.faults.players import Player
from tests.faults.referee import Referee
from tests.faults.site import APPKEY, PASSWORD, SECRET, Site, phone, username
from tests.server import MENSHEN

OLDER = "f91a10e"
"""A commit whose `menshen serve` works, at schema 0003."""

ROOT = Path(__file__).parents[2]
PLAYERS = 6


def older_program(folder: Path) -> str:
    """The older program's sources; what to put into PYTHONPATH."""
    done = subprocess.run(
        ["git", "-C", str(ROOT), "archive", "--format=tar", OLDER, "src"], capture_output=True, check=True
    )
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return str(folder / "src")


def by(site: Site, program: str, *arguments: str, stdin: str = "") -> str:
    done = subprocess.run(
        [MENSHEN, *arguments, "--data", str(site.data)],
        env=site.start_environ | {"PYTHONPATH": program}, input=stdin,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.long
@pytest.mark.timeout(180)
@pytest.mark.parametrize("store", ["postgresql", "sqlite"])
def test_old_and_new_side_by_side(tmp_path: Path, postgres_url: str, store: str) -> None:
    old = older_program(tmp_path / "older")
    site = Site(tmp_path / "data", postgres_url if store == "postgresql" else "")
    try:
        by(site, old, "app", "add", "faults", "--appkey", APPKEY, "--secret", SECRET, "--captcha", "never")
        for number in range(PLAYERS):
            by(
                site, old, "account", "add", "--username", username(number), "--phone", phone(number), "--verified",
                "--password-stdin", stdin=PASSWORD,
            )  # fmt: skip
        assert site.rows("SELECT version_num FROM alembic_version") == [("0003",)]
        first = site.start(PYTHONPATH=old)
        referee = Referee(site, PLAYERS)
        luck = random.Random(12)
        players = [Player(n, Caller([first.port], turn=n), referee, luck) for n in range(PLAYERS)]

        async def rehearse() -> None:
            over = asyncio.Event()
            calls = ("login", "refresh", "refresh", "password", "check", "logout")
            games = [asyncio.create_task(p.play(over, calls)) for p in players]
            await asyncio.sleep(1)
            # The new program comes, and moves the schema under the old one's feet.
            second = await asyncio.to_thread(site.start)
            for player in players:
                player.caller.ports = [first.port, second.port]
            await asyncio.sleep(2)
            # The old one crashes in the middle of it all, and may come back.
            first.process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(first.process.wait, 10)
            again = await asyncio.to_thread(lambda: site.start(PYTHONPATH=old, port=first.port))
            await asyncio.sleep(2)
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
