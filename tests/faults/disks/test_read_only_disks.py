"""F9: files that nobody may write any more, under a server that runs and under one that starts."""

from __future__ import annotations

import asyncio
import math
import os
import random
import signal
import subprocess
from pathlib import Path

import pytest

from tests import server
from tests.faults.caller import Caller, Fate
from tests.faults.disks.mounts import (
    bind_read_only,
    break_disk,
    breakable_disk,
    freeze,
    small_disk,
    thaw,
    with_own_mounts,
)
from tests.faults.players import Player
from tests.faults.referee import Referee
from tests.faults.site import PASSWORD, Site, settled, username
from tests.faults.test_database_away import HEALTHY_WITHIN, until_healthy
from tests.nodes.test_first_start import ready
from tests.server import MENSHEN, Server

pytestmark = pytest.mark.machine

PLAYERS = 8
WITHOUT_ROOTS_RIGHTS = "--bounding-set=-dac_override,-dac_read_search,-fowner", "--inh-caps=-all"


def players_of(referee: Referee, node: Server) -> list[Player]:
    return [Player(n, Caller([node.port]), referee, random.Random(n)) for n in range(PLAYERS)]


async def expect_nothing_written(node: Server, players: list[Player]) -> bool:
    """Tokens are checked and all that would have to be written is 503, as long as it lives; whether it still does.

    SQLite keeps the index of its log in memory that the kernel maps to a file. Once that memory was written back, the
    kernel ends whoever changes it and cannot have it on the disk, by SIGBUS; nobody can catch that and go on.
    """
    caller = Caller([node.port])

    def is_gone() -> bool:
        try:
            return node.process.wait(60) == -signal.SIGBUS
        except subprocess.TimeoutExpired:
            return False

    for _ in range(3):
        for player in players:
            assert player.claims.live
            for told, wanted in (
                (await caller.check(player.claims.live[0]), Fate.DONE),
                (await caller.login(username(player.number), PASSWORD, "other"), Fate.AWAY),
                (await caller.refresh(*player.claims.live), Fate.AWAY),
                (await caller.log_out(player.claims.live[0]), Fate.AWAY),
            ):
                if told.fate is Fate.LOST and is_gone():
                    print("ended by SIGBUS")
                    return False
                assert told.fate is wanted, told
        assert (await caller.call("GET", "/livez")).status == 200
        assert (await caller.call("GET", "/readyz")).status == 503
    print("checked tokens, and answered everything else with 503")
    return True


def test_files_that_nobody_may_write_while_it_runs(tmp_path: Path) -> None:
    with_own_mounts(lambda: _frozen(tmp_path))


@pytest.mark.timing
def test_it_is_healthy_soon_after_files_can_be_written(tmp_path: Path) -> None:
    with_own_mounts(lambda: _frozen(tmp_path, HEALTHY_WITHIN))


def _frozen(tmp_path: Path, within: float = math.inf) -> None:
    """Whether it lives on or is ended, it is whole again as soon as the files can be written."""
    with breakable_disk(tmp_path / "image", 48) as disk, settled(disk, accounts=PLAYERS + 1) as site:
        node = site.start()
        referee = Referee(site, PLAYERS)
        players = players_of(referee, node)
        files = [site.data / f"menshen.db{part}" for part in ("", "-wal", "-shm")]

        async def play() -> bool:
            for player in players:
                assert await player.step("login") is Fate.DONE
            freeze(*files)
            try:
                return await expect_nothing_written(node, players)
            finally:
                thaw(*files)

        if not asyncio.run(play()):
            # As a service manager would.
            node = site.start()

        async def go_on() -> None:
            assert await until_healthy(node) < within
            for player in players:
                player.caller.ports = [node.port]
                assert await player.step("refresh") is Fate.DONE

        asyncio.run(go_on())
        assert not referee.judge().breaches
        assert node.stop() == 0


def test_a_disk_that_breaks_and_turns_read_only_while_it_runs(tmp_path: Path) -> None:
    with_own_mounts(lambda: _broken(tmp_path))


def _broken(tmp_path: Path) -> None:
    """The kernel writes such a disk again only after it was mounted anew: then everything acknowledged is there."""
    image = tmp_path / "image"
    with breakable_disk(image, 48) as disk:
        site = Site(disk / "data", "")
        try:
            site.settle(PLAYERS + 1)
            node = site.start()
            referee = Referee(site, PLAYERS)
            players = players_of(referee, node)

            async def play() -> None:
                for player in players:
                    assert await player.step("login") is Fate.DONE
                    assert await player.step("refresh") is Fate.DONE
                break_disk(disk)
                await expect_nothing_written(node, players)

            asyncio.run(play())
            # Until the disk is mounted anew nobody starts on it.
            node.process.kill()
            node.process.wait(60)
            expect_a_sentence(site, site.data, "")
        finally:
            site.close()
    with breakable_disk(image, 48) as disk:
        site.data = disk / "data"
        try:
            node = site.start()

            async def go_on() -> None:
                for player in players:
                    player.caller.ports = [node.port]
                    assert await player.step("refresh") is Fate.DONE

            asyncio.run(go_on())
            assert not referee.judge().breaches
            assert node.stop() == 0
        finally:
            site.close()


def test_a_start_on_a_read_only_disk_is_refused_by_a_sentence(tmp_path: Path) -> None:
    with_own_mounts(lambda: _bound_read_only(tmp_path))


def _bound_read_only(tmp_path: Path) -> None:
    with settled(tmp_path, accounts=1) as site, small_disk(1) as disk:
        node = site.start()
        assert node.stop() == 0
        (disk / "data").mkdir()
        bind_read_only(site.data, disk / "data")
        expect_a_sentence(
            site, disk / "data", f"the disk of {disk / 'data'}/menshen.db is read-only: mount it for writing"
        )
        # And nothing was spoilt by trying.
        assert site.start().stop() == 0


def test_rights_that_are_taken_away_under_a_running_server(tmp_path: Path) -> None:
    """It goes on with the files it has open. Who starts, and may only read, is refused by a sentence."""
    with settled(tmp_path, accounts=PLAYERS + 1) as site:
        port = server.free_port()
        environ = {**os.environ, **site.environ}
        command: list[str | Path] = [
            "setpriv",
            *WITHOUT_ROOTS_RIGHTS,
            MENSHEN,
            "serve",
            "--data",
            site.data,
            "--port",
            str(port),
        ]
        with (tmp_path / "log").open("wb") as log:
            process = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
        node = Server(site.data, port, process, environ, tmp_path / "log")
        site.nodes.append(node)
        ready(node)
        referee = Referee(site, PLAYERS)
        players = players_of(referee, node)
        files = [file for file in site.data.iterdir() if file.is_file()]
        modes = {file: file.stat().st_mode for file in files}
        for file in files:
            file.chmod(0o400)
        site.data.chmod(0o500)

        async def play() -> None:
            for player in players:
                for what in ("login", "refresh", "check", "password"):
                    assert await player.step(what) is Fate.DONE, what

        asyncio.run(play())
        remedy = f"{site.data}/menshen.db cannot be written: give its owner the right to write (chmod u+rw)"
        expect_a_sentence(site, site.data, remedy, "setpriv", *WITHOUT_ROOTS_RIGHTS)
        assert node.stop() == 0
        site.data.chmod(0o700)
        for file, mode in modes.items():
            if file.exists():
                file.chmod(mode)
        assert site.start().stop() == 0
        assert not referee.judge().breaches


def expect_a_sentence(site: Site, data: Path, reason: str, *as_whom: str) -> None:
    done = subprocess.run(
        [*as_whom, MENSHEN, "serve", "--data", data, "--port", str(server.free_port())],
        env={**os.environ, **site.environ}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("menshen: ")
    assert line.endswith(reason)
    print(line)
