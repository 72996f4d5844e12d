"""F8: disks that are really full, under SQLite, under the log, under PostgreSQL's tables and under its log."""

from __future__ import annotations

import asyncio
import os
import pwd
import random
from pathlib import Path

import pytest

from tests.faults.caller import Caller, CallResult, Fate
from tests.faults.disks.mounts import bind, fill, small_disk, with_own_mounts
from tests.faults.players import Player
from tests.faults.referee import Referee
from tests.faults.site import PASSWORD, Site, settled, username
from tests.faults.test_database_away import until_healthy
from tests.faults.waiting import until, wait_until
from tests.patience import PATIENT
from tests.postgres import PostgresServer
from tests.server import Server

pytestmark = pytest.mark.machine

PLAYERS = 8
"""As many as `until_healthy` leaves alone."""

FORM = {"content-type": "application/x-www-form-urlencoded"}
MOST_LOGINS = 3000
"""However much room a database has taken beforehand, so many logins use it up."""


def players_of(referee: Referee, node: Server) -> list[Player]:
    return [Player(n, Caller([node.port]), referee, random.Random(n)) for n in range(PLAYERS)]


async def log_in_until_refused(players: list[Player]) -> list[CallResult]:
    """Logins on ever new platforms until five in a row were refused; tokens are checked meanwhile. All answers."""
    told: list[CallResult] = []
    while len(told) < 5 or (len(told) < MOST_LOGINS and {t.fate for t in told[-5:]} != {Fate.AWAY}):
        player = players[len(told) % len(players)]
        told.append(await player.caller.login(username(player.number), PASSWORD, f"p{len(told)}"))
        assert player.claims.live
        assert (await player.caller.check(player.claims.live[0])).fate is Fate.DONE
    assert {t.fate for t in told[-5:]} == {Fate.AWAY}, "the disk was not full"
    assert {t.fate for t in told} <= {Fate.AWAY, Fate.DONE}
    done = sum(t.fate is Fate.DONE for t in told)
    print(f"{done} logins found room, {len(told) - done} heard 503, each of {len(told)} token checks was answered")
    return told


def expect_whole(site: Site, referee: Referee, logins: list[CallResult], others: int) -> None:
    """What was acknowledged is there, what was refused is not, and the audit says the same."""
    done = sum(t.fate is Fate.DONE for t in logins)
    assert site.rows("SELECT count(*) FROM sessions WHERE slot LIKE '%p%'") >= [(done,)]
    assert site.rows("SELECT count(*) FROM audit WHERE tag = 'login.succeeded'") == [(done + others,)]
    assert not referee.judge().breaches


def test_under_sqlite_and_its_log(tmp_path: Path) -> None:
    with_own_mounts(lambda: _sqlite_full(tmp_path))


def _sqlite_full(tmp_path: Path) -> None:
    with small_disk(24) as disk, settled(disk, accounts=PLAYERS + 1) as site:
        node = site.start()
        assert node.log.parent == disk
        referee = Referee(site, PLAYERS)
        players = players_of(referee, node)

        async def play() -> list[CallResult]:
            for player in players:
                assert await player.step("login") is Fate.DONE
            ballast = await asyncio.to_thread(fill, disk)
            told = await log_in_until_refused(players)
            caller = Caller([node.port])
            assert (await caller.call("GET", "/livez")).status == 200
            assert (await caller.call("GET", "/readyz")).status == 503
            for player in players:
                assert player.claims.live
                assert (await caller.refresh(*player.claims.live)).fate is Fate.AWAY
            ballast.unlink()
            print(f"healthy again after {await until_healthy(node):.2f} s")
            for player in players:
                assert await player.step("refresh") is Fate.DONE
            return told

        told = asyncio.run(play())
        expect_whole(site, referee, told, others=PLAYERS + 1)
        assert node.process.poll() is None
        assert node.stop() == 0


def test_killed_and_started_again_while_it_is_full(tmp_path: Path) -> None:
    with_own_mounts(lambda: _sqlite_killed_while_full(tmp_path))


def _sqlite_killed_while_full(tmp_path: Path) -> None:
    """R1, R10: it serves, or says in a sentence why not; with room again it has everything it had acknowledged."""
    with small_disk(24) as disk, settled(disk, accounts=PLAYERS + 1) as site:
        node = site.start()
        referee = Referee(site, PLAYERS)
        players = players_of(referee, node)

        async def until_full() -> tuple[list[CallResult], Path]:
            for player in players:
                assert await player.step("login") is Fate.DONE
            ballast = await asyncio.to_thread(fill, disk)
            return await log_in_until_refused(players), ballast

        told, ballast = asyncio.run(until_full())
        node.kill()
        again = site.launch(log=tmp_path / "again.log")
        wait_until(lambda: again.process.poll() is not None or _is_alive(again))
        print("started" if again.process.poll() is None else again.log.read_text().strip())
        if again.process.poll() is not None:
            text = again.log.read_text()
            assert again.process.returncode == 1, text
            assert text.count("menshen: ") == 1
            assert "Traceback" not in text
        ballast.unlink()
        if again.process.poll() is not None:
            again = site.start()
        for player in players:
            player.caller.ports = [again.port]

        async def go_on() -> None:
            await until_healthy(again)
            for player in players:
                assert await player.step("refresh") is Fate.DONE

        asyncio.run(go_on())
        expect_whole(site, referee, told, others=PLAYERS + 1)


def _is_alive(node: Server) -> bool:
    try:
        return node.call("GET", "/livez").status == 200
    except OSError:
        return False


def test_only_the_log_is_full(tmp_path: Path) -> None:
    with_own_mounts(lambda: _log_full(tmp_path))


def _log_full(tmp_path: Path) -> None:
    """Nobody hears of it, and the log goes on when there is room again."""
    roomy = tmp_path / "roomy"
    roomy.mkdir()
    with small_disk(1) as disk:
        (disk / "data").mkdir()
        bind(roomy, disk / "data")
        with settled(disk, accounts=PLAYERS + 1) as site:
            node = site.start()
            referee = Referee(site, PLAYERS)
            players = players_of(referee, node)
            ballast = fill(disk)
            size = node.log.stat().st_size

            async def play() -> None:
                for player in players:
                    assert await player.step("login") is Fate.DONE
                    assert await player.step("refresh") is Fate.DONE
                    for _ in range(5):
                        # Each of these is a line.
                        assert (await player.caller.call("POST", "/api/v1/user", "appkey=unknown", FORM)).body

            asyncio.run(play())
            # What the last page of the file had left to it, and no more.
            assert node.log.stat().st_size - size <= os.sysconf("SC_PAGESIZE")
            ballast.unlink()
            size = node.log.stat().st_size
            asyncio.run(play())
            assert node.log.stat().st_size > size
            assert not referee.judge().breaches
            assert node.stop() == 0


def test_under_the_tables_of_postgresql(tmp_path: Path) -> None:
    with_own_mounts(lambda: _tables_full(tmp_path))


def _tables_full(tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    owner = (nobody.pw_uid, nobody.pw_gid)
    with small_disk(160, owner) as disk, small_disk(128, owner) as wal:
        words = ("--waldir", wal / "wal")
        with (
            PostgresServer(durable=True, data=disk / "data", initdb=words) as database,
            settled(tmp_path, database.create(), PLAYERS + 1, **PATIENT) as site,
        ):
            node = site.start()
            referee = Referee(site, PLAYERS)
            players = players_of(referee, node)

            async def play() -> list[CallResult]:
                for player in players:
                    assert await player.step("login") is Fate.DONE
                ballast = await asyncio.to_thread(fill, disk)
                told = await log_in_until_refused(players)
                assert (await Caller([node.port]).call("GET", "/livez")).status == 200
                ballast.unlink()
                print(f"healthy again after {await until_healthy(node):.2f} s")
                for player in players:
                    assert await player.step("refresh") is Fate.DONE
                return told

            told = asyncio.run(play())
            expect_whole(site, referee, told, others=PLAYERS + 1)
            assert database.log.read_text(errors="replace").count("No space left on device") >= 5
            assert node.stop() == 0


def test_under_the_log_of_postgresql(tmp_path: Path) -> None:
    with_own_mounts(lambda: _wal_full(tmp_path))


def _wal_full(tmp_path: Path) -> None:
    """PostgreSQL itself gives up when it cannot write its log: everybody hears 503 until it was started again."""
    nobody = pwd.getpwnam("nobody")
    owner = (nobody.pw_uid, nobody.pw_gid)
    with small_disk(160, owner) as disk, small_disk(24, owner) as wal:
        words = ("--waldir", wal / "wal", "--wal-segsize=1")
        sizes = {"min_wal_size": "2MB", "max_wal_size": "8MB"}
        with (
            PostgresServer(durable=True, data=disk / "data", initdb=words, settings=sizes) as database,
            settled(tmp_path, database.create(), accounts=PLAYERS + 1) as site,
        ):
            node = site.start()
            referee = Referee(site, PLAYERS)
            players = players_of(referee, node)

            async def until_away() -> Path:
                for player in players:
                    assert await player.step("login") is Fate.DONE
                ballast = await asyncio.to_thread(fill, wal)
                over = asyncio.Event()
                games = [asyncio.create_task(p.play(over, ("login", "refresh", "password", "check"))) for p in players]
                await until(lambda: referee.total(Fate.AWAY) >= 50)
                over.set()
                await asyncio.gather(*games)
                caller = Caller([node.port])
                assert (await caller.call("GET", "/livez")).status == 200
                assert (await caller.call("GET", "/readyz")).status == 503
                assert (await caller.login(username(PLAYERS), PASSWORD)).fate is Fate.AWAY
                return ballast

            ballast = asyncio.run(until_away())
            ballast.unlink()
            # As a service manager would.
            if not database.running:
                database.start()

            async def go_on() -> None:
                print(f"healthy again after {await until_healthy(node):.2f} s")
                for player in players:
                    await player.settle()
                    assert await player.step("login") is Fate.DONE
                    assert await player.step("refresh") is Fate.DONE

            asyncio.run(go_on())
            assert not referee.judge().breaches
            assert referee.total(Fate.LOST) == 0
            assert "No space left on device" in database.log.read_text(errors="replace")
            assert node.stop() == 0
