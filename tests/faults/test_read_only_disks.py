"""F9: files that nobody may write any more, under a server that runs and under one that starts."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
from pathlib import Path

import pytest

from tests import server
from tests.faults.caller import Caller, Fate
from tests.faults.disks import bind_read_only, break_disk, breakable_disk, freeze, small_disk, thaw, with_own_mounts
from tests.faults.players import Player
from tests.faults.referee import Referee
from tests.faults.site import PASSWORD, Site, settled, username
from tests.faults.test_database_away import until_healthy
from tests.server import MENSHEN, Server

pytestmark = [pytest.mark.machine, pytest.mark.timeout(120)]

PLAYERS = 8
WITHOUT_ROOTS_RIGHTS = "--bounding-set=-dac_override,-dac_read_search,-fowner", "--inh-caps=-all"


def players_of(referee: Referee, node: Server) -> list[Player]:
    return [Player(n, Caller([node.port]), referee, random.Random(n)) for n in range(PLAYERS)]


async def expect_only_checks(node: Server, players: list[Player]) -> None:
    """Tokens are checked, everything that would have to be written is 503, and it says itself that it is not ready."""
    caller = Caller([node.port])
    for _ in range(3):
        for player in players:
            assert player.claims.live
            assert (await caller.check(player.claims.live[0])).fate is Fate.DONE
            assert (await caller.login(username(player.number), PASSWORD, "other")).fate is Fate.AWAY
            assert (await caller.refresh(*player.claims.live)).fate is Fate.AWAY
            assert (await caller.log_out(player.claims.live[0])).fate is Fate.AWAY
        assert (await caller.call("GET", "/livez")).status == 200
        assert (await caller.call("GET", "/readyz")).status == 503


def test_files_that_nobody_may_write_while_it_runs(tmp_path: Path) -> None:
    with_own_mounts(lambda: _frozen(tmp_path))


def _frozen(tmp_path: Path) -> None:
    with breakable_disk(tmp_path / "image", 48) as disk, settled(disk, accounts=PLAYERS + 1) as site:
        node = site.start()
        referee = Referee(site, PLAYERS)
        players = players_of(referee, node)

        async def play() -> None:
            for player in players:
                assert await player.step("login") is Fate.DONE
            files = [site.data / f"menshen.db{part}" for part in ("", "-wal", "-shm")]
            freeze(*files)
            try:
                await expect_only_checks(node, players)
            finally:
                thaw(*files)
            assert await until_healthy(node) < 30
            for player in players:
                assert await player.step("refresh") is Fate.DONE

        asyncio.run(play())
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
                await expect_only_checks(node, players)

            asyncio.run(play())
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
        expect_a_sentence(site, disk / "data", "Read-only file system")
        # And nothing was spoilt by trying.
        assert site.start().stop() == 0


def test_a_start_by_somebody_who_may_only_read_is_refused_by_a_sentence(tmp_path: Path) -> None:
    with settled(tmp_path, accounts=1) as site:
        assert site.start().stop() == 0
        files = [file for file in site.data.iterdir() if file.is_file()]
        modes = {file: file.stat().st_mode for file in files}
        for file in files:
            file.chmod(0o400)
        site.data.chmod(0o500)
        expect_a_sentence(site, site.data, "Permission denied", "setpriv", *WITHOUT_ROOTS_RIGHTS)
        site.data.chmod(0o700)
        for file, mode in modes.items():
            file.chmod(mode)
        assert site.start().stop() == 0


def expect_a_sentence(site: Site, data: Path, reason: str, *as_whom: str) -> None:
    done = subprocess.run(
        [*as_whom, MENSHEN, "serve", "--data", data, "--port", str(server.free_port())],
        env={**os.environ, **site.environ}, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("menshen: ")
    assert line.endswith(reason)
