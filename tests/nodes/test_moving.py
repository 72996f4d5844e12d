"""`menshen copy`, backups and restores, under a server that goes on."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.faults.caller import Caller, Fate
from tests.faults.players import Player, deal_codes, until_done
from tests.faults.referee import Referee
from tests.faults.site import PASSWORD, Site, settled, username
from tests.patience import PATIENT
from tests.postgres import USER, PostgresServer
from tests.server import MENSHEN, Server

CALLS = 60
"""So many are done before something happens in the middle of them."""


def menshen(site: Site, *arguments: str, status: int = 0) -> str:
    done = subprocess.run(
        [MENSHEN, *arguments, "--data", str(site.data)],
        env=site.start_environ, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


async def play(players: list[Player], calls: int) -> None:
    over = asyncio.Event()
    games = [asyncio.create_task(p.play(over, ("login", "refresh", "password", "check", "logout"))) for p in players]
    await until_done(players[0].referee, calls)
    over.set()
    await asyncio.gather(*games)


def test_a_live_installation_moves_and_nobody_is_logged_out(tmp_path: Path, postgres_url: str) -> None:
    with settled(tmp_path, "", 6, **PATIENT) as site:
        node = site.start()
        referee = Referee(site, 6)
        random_bits = random.Random(8)
        players = [Player(n, Caller([node.port]), referee, random_bits) for n in range(6)]
        asyncio.run(play(players, CALLS))
        first = json.loads(menshen(site, "copy", "--to", postgres_url, "--json"))
        assert first["final"] is False
        # It goes on, and changes what was copied.
        asyncio.run(play(players, CALLS))
        for player in players:
            asyncio.run(player.fetch_code())
        assert node.stop() == 0
        final = json.loads(menshen(site, "copy", "--to", postgres_url, "--json"))
        assert final["final"] is True
        rows = {table["table"]: table["rows"] for table in final["tables"]}
        moved = {table["table"]: table["moved"] for table in final["tables"]}
        assert rows["accounts"] == 6
        assert 0 < moved["audit"] < rows["audit"], "only what changed is moved"
        assert rows["codes"] == 6
        for table in ("accounts", "sessions", "audit", "outbox", "counters", "apps", "codes", "spent_refreshes"):
            here = site.rows(f"SELECT count(*) FROM {table}")
            site.url = postgres_url
            assert site.rows(f"SELECT count(*) FROM {table}") == here == [(rows[table],)]
            site.url = ""
        # A database in use is not overwritten.
        assert "in use already" in menshen(site, "copy", "--to", postgres_url, status=1)
        site.url = postgres_url
        moved_node = site.start()
        for player in players:
            player.caller.ports = [moved_node.port]
        deal_codes(players)

        async def go_on() -> None:
            for player in players:
                if player.claims.live:
                    assert (await player.caller.check(player.claims.live[0])).fate is Fate.DONE
                for ended in sorted(player.claims.ended)[:5]:
                    assert (await player.caller.check(ended)).fate is Fate.REFUSED
                # A code that was sent before the move is good after it.
                assert await player.step("code") is Fate.DONE
            await play(players, CALLS)

        asyncio.run(go_on())
        assert not referee.judge().breaches
        menshen(site, "account", "add", "--username", "newcomer")
        numbers = [row[0] for row in site.rows("SELECT number FROM accounts ORDER BY number")]
        assert numbers == list(range(1, 8))


def test_a_copy_that_was_cut_goes_on(tmp_path: Path, postgres_url: str) -> None:
    """Whatever a cut copy left: a part of the rows, rows that are wrong, rows that are too many."""
    with settled(tmp_path, accounts=6) as site:
        node = site.start()

        async def some_logins() -> None:
            for number in range(6):
                assert (await Caller([node.port]).login(username(number), PASSWORD)).fate is Fate.DONE

        asyncio.run(some_logins())
        menshen(site, "copy", "--to", postgres_url, "--json")
        site.url = postgres_url
        site.run(
            # The fence lets nobody write but a copy.
            "SET menshen.copy = 'on'",
            "DELETE FROM sessions WHERE account_number < 3",
            "UPDATE accounts SET username = 'x' || username",
            "UPDATE accounts SET username = 'player5', username_shown = 'player5' WHERE number = 1",
            "INSERT INTO counters (key, expires_at) VALUES ('left over', 1)",
            "DELETE FROM audit WHERE id % 2 = 0",
        )
        site.url = ""
        assert node.stop() == 0
        final = json.loads(menshen(site, "copy", "--to", postgres_url, "--json"))
        assert final["final"] is True
        here = site.rows("SELECT number, username FROM accounts ORDER BY number")
        site.url = postgres_url
        assert site.rows("SELECT number, username FROM accounts ORDER BY number") == here
        assert site.rows("SELECT count(*) FROM counters WHERE key = 'left over'") == [(0,)]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "no target was given"),
        (["--to", "mysql://x/y"], "--to must be postgresql://"),
        (["--from", "postgresql://x/y", "--to", "postgresql://x/z"], "--from must be sqlite:///"),
        (["--from", "sqlite:////nowhere/at/all.db", "--to", "postgresql://x/z"], "does not exist"),
        (["--to", "postgresql://nobody:secret@127.0.0.1:1/none"], "cannot"),
    ],
)
def test_a_copy_that_cannot_be_is_refused_by_a_sentence(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    with settled(tmp_path, accounts=1) as site:
        said = menshen(site, "copy", *arguments, status=1)
        assert sentence in said
        assert len(said.strip().splitlines()) == 1
        assert "secret" not in said


def test_a_backup_under_load_restores_to_its_moment_and_revives_nothing(tmp_path: Path) -> None:
    """F22, LG-4: what was acknowledged before the backup is in it; every token of before the restore is dead."""
    with settled(tmp_path, accounts=6) as site:
        node = site.start()
        referee = Referee(site, 6)
        random_bits = random.Random(9)
        players = [Player(n, Caller([node.port]), referee, random_bits) for n in range(6)]
        backup = tmp_path / "backup.db"

        async def load_and_copy() -> dict[int, list[str]]:
            over = asyncio.Event()
            games = [asyncio.create_task(p.play(over, ("login", "refresh", "password"))) for p in players]
            await until_done(referee, CALLS)
            before = {p.number: list(p.claims.passwords) for p in players}
            await asyncio.to_thread(menshen, site, "backup", str(backup))
            after = {p.number: before[p.number] + list(p.claims.passwords) for p in players}
            await until_done(referee, CALLS)
            over.set()
            await asyncio.gather(*games)
            return after

        asyncio.run(load_and_copy())
        assert not referee.judge().breaches
        tokens = [p.claims.live[0] for p in players if p.claims.live]
        # Judged by itself, the copy is a whole world of its own.
        other = Site(tmp_path / "other", "", dict(site.extra))
        shutil.copytree(site.data, other.data)
        for file in other.data.glob("menshen.db*"):
            file.unlink()
        shutil.copyfile(backup, other.data / "menshen.db")
        copied = Referee(other, 0)
        assert not copied.judge().breaches
        assert node.stop() == 0
        said = menshen(site, "restore", str(backup))
        assert "log in again" in said
        again = site.start()

        async def after() -> None:
            caller = Caller([again.port])
            for token in [*tokens, *(ended for p in players for ended in sorted(p.claims.ended)[:3])]:
                assert (await caller.check(token)).fate is Fate.REFUSED

        asyncio.run(after())
        assert site.rows("SELECT epoch FROM installation") == [(2,)]


def test_a_dump_of_postgresql_under_load_and_its_restore(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    """F22 as docs/operate/operations.md tells it: pg_dump while it serves, pg_restore elsewhere, epoch raise, start."""
    place = ("-h", str(postgres_server.folder), "-U", USER)
    dump = postgres_server.folder / f"{tmp_path.name}.dump"
    with settled(tmp_path, postgres_url, accounts=6) as site:
        node = site.start()
        referee = Referee(site, 6)
        random_bits = random.Random(10)
        players = [Player(n, Caller([node.port]), referee, random_bits) for n in range(6)]

        async def load_and_dump() -> None:
            over = asyncio.Event()
            games = [asyncio.create_task(p.play(over, ("login", "refresh", "password"))) for p in players]
            await until_done(referee, CALLS)
            name = postgres_url.partition("@/")[2].partition("?")[0]
            await asyncio.to_thread(postgres_server._run, "pg_dump", *place, "-Fc", "-f", dump, "-d", name)
            await until_done(referee, CALLS)
            over.set()
            await asyncio.gather(*games)

        asyncio.run(load_and_dump())
        assert node.stop() == 0
        assert not referee.judge().breaches
        restored = postgres_server.create()
        name = restored.partition("@/")[2].partition("?")[0]
        postgres_server._run("pg_restore", *place, "-d", name, dump)
        site.url = restored
        # The copy is a whole world of its own, of its moment.
        assert not Referee(site, 0).judge().breaches
        assert site.rows("SELECT count(*) FROM sessions") > [(0,)]
        menshen(site, "epoch", "raise")
        again = site.start()

        async def after() -> None:
            caller = Caller([again.port])
            for player in players:
                for token in [*sorted(player.claims.ended)[-3:], *(player.claims.live or ())[:1]]:
                    assert (await caller.check(token)).fate is Fate.REFUSED
            # Its triggers came along: what ends is heard.
            back = await caller.login(username(0), PASSWORD)
            assert back.fate in {Fate.DONE, Fate.REFUSED}

        asyncio.run(after())
        triggers = site.rows("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'menshen_%'")
        assert triggers == [(9,)]
        assert again.stop() == 0
    postgres_server.drop(restored)


def test_a_restore_waits_for_no_server(tmp_path: Path) -> None:
    with settled(tmp_path, accounts=1) as site:
        node: Server = site.start()
        menshen(site, "backup", str(tmp_path / "b.db"))
        assert "stop it first" in menshen(site, "restore", str(tmp_path / "b.db"), status=1)
        assert node.stop() == 0
