"""Nobody loses what was answered by a copy to PostgreSQL, whoever runs it, how often, and where it is killed."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from menshen.adapters.storage.sql.engines.postgres import open_postgres
from menshen.adapters.storage.sql.schema.marks import COPYING, CopyUnderWayError, MovedAwayError, SchemaError
from menshen.adapters.storage.sql.schema.migrate import HEAD, SchemaTooNewError, migrate_postgres, migrate_sqlite
from menshen.app.installation.moving import Moved, copy_to_postgres
from menshen.app.installation.opening import in_use
from menshen.app.settings.reader import SettingsError
from menshen.app.world import SystemWorld
from menshen.core.problems import Problem
from menshen.testing.store_contract.records import settle
from tests.adapters.storage.sealer import SEALER
from tests.faults.site import Site, settled
from tests.nodes.test_moving import menshen
from tests.postgres import PostgresServer

UNDER_WAY = "a copy into this database is under way"
COMMANDS = (
    ["account", "add", "--username", "somebody"],
    ["epoch", "raise"],
    ["migrate"],
    ["check"],
)


def refused(site: Site, *arguments: str) -> str:
    """Return what a refusal says. Raises AssertionError if it is more than a sentence."""
    said = menshen(site, *arguments, status=1)
    assert len(said.strip().splitlines()) == 1
    return said


def refused_start(site: Site, *arguments: str) -> str:
    log = site.data.parent / "refused.log"
    log.unlink(missing_ok=True)
    assert site.launch(*arguments, log=log).process.wait(60) == 1
    return log.read_text()


def copy(site: Site, url: str) -> Moved:
    return copy_to_postgres(site.settings, "", url, lambda *_: None, SystemWorld())


def accounts(site: Site) -> list[Any]:
    return [row[0] for row in site.rows("SELECT username FROM accounts ORDER BY number")]


@pytest.mark.attack("AD-7")
def test_a_copy_overwrites_nothing_that_somebody_was_answered_for(tmp_path: Path, postgres_url: str) -> None:
    with settled(tmp_path, accounts=3) as site:
        node = site.start()
        menshen(site, "copy", "--to", postgres_url)
        # It is half a copy: nobody may be answered from it.
        site.url = postgres_url
        for command in COMMANDS:
            assert UNDER_WAY in refused(site, *command)
        for workers in ("1", "2"):
            assert UNDER_WAY in refused_start(site, "--workers", workers)
        site.url = ""
        menshen(site, "backup", str(tmp_path / "before.db"))
        assert node.stop() == 0
        assert "moved" in menshen(site, "copy", "--to", postgres_url)
        # The old one is out of use, for every server and command.
        for command in (*COMMANDS, ["backup", str(tmp_path / "b.db")], ["restore", str(tmp_path / "before.db")]):
            said = refused(site, *command)
            assert "was moved to postgresql:///test_" in said
            assert "host=" not in said
        assert "was moved to" in refused_start(site)
        site.url = postgres_url
        new = site.start()
        menshen(site, "account", "add", "--username", "newcomer")
        site.url = ""
        # Once more, by habit.
        assert "the target database is in use already" in refused(site, "copy", "--to", postgres_url)
        assert "there is nothing" not in menshen(site, "copy", "--take-back")
        said = refused(site, "copy", "--to", postgres_url)
        assert said.endswith("the target database is in use already: give an empty one\n")
        site.url = postgres_url
        assert accounts(site) == ["player0", "player1", "player2", "newcomer"]
        assert new.stop() == 0
        menshen(site, "account", "add", "--username", "later")
        assert accounts(site)[-1] == "later"


@pytest.mark.attack("AD-7")
def test_a_server_that_has_the_target_open_already_writes_nothing_into_a_copy(
    tmp_path: Path, migrated_url: str
) -> None:
    """It started a moment before, on an empty database: what it would answer, the copy would delete."""
    with settled(tmp_path, accounts=2) as site:

        async def play() -> None:
            store = await open_postgres(migrated_url, SEALER)
            with in_use(site.settings):
                await asyncio.to_thread(copy, site, migrated_url)
            with pytest.raises(Problem):
                await settle(store, "newcomer")
            assert not await store.ready()
            await store.close()

        asyncio.run(play())
        menshen(site, "copy", "--to", migrated_url)
        site.url = migrated_url
        assert accounts(site) == ["player0", "player1"]
        assert site.rows("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'menshen_copy%'") == [(0,)]


@pytest.mark.attack("AD-7")
def test_a_copy_waits_for_who_is_writing_there_and_then_sees_it(tmp_path: Path, migrated_url: str) -> None:
    with settled(tmp_path, accounts=2) as site:

        async def play() -> None:
            connection = await asyncpg.connect(migrated_url)
            writing = connection.transaction()
            await writing.start()
            await connection.execute("INSERT INTO accounts (public_id, username) VALUES ('x', 'newcomer')")
            copying = asyncio.create_task(asyncio.to_thread(copy, site, migrated_url))
            waits = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)"
            while not copying.done() and not await connection.fetchval(waits):  # noqa: ASYNC110 - PostgreSQL tells nobody
                await asyncio.sleep(0.01)
            await writing.commit()
            with pytest.raises(SettingsError, match="in use already"):
                await copying
            await connection.close()

        asyncio.run(play())
        site.url = migrated_url
        assert accounts(site) == ["newcomer"]
        assert site.rows("SELECT version_num FROM alembic_version") == [(HEAD,)]


@pytest.mark.attack("AD-7")
def test_only_the_database_that_is_copied_goes_on_with_a_copy(tmp_path: Path, postgres_url: str) -> None:
    (tmp_path / "other").mkdir()
    with settled(tmp_path, accounts=2) as site, settled(tmp_path / "other", accounts=1) as other:
        node = site.start()
        menshen(site, "copy", "--to", postgres_url)
        # Another one has another default app.
        assert "a copy of another database" in refused(other, "copy", "--to", postgres_url)
        node.stop()
        menshen(site, "copy", "--to", postgres_url)
        assert "in use already" in refused(other, "copy", "--to", postgres_url)


def test_an_older_program_refuses_both_ends(tmp_path: Path, postgres_url: str) -> None:
    """It knows no mark, but it knows that it does not know the revision."""
    with settled(tmp_path, accounts=1) as site:
        node = site.start()
        menshen(site, "copy", "--to", postgres_url)
        site.url = postgres_url
        assert site.rows("SELECT version_num FROM alembic_version") == [(f"{COPYING}{HEAD}",)]
        site.url = ""
        node.stop()
        menshen(site, "copy", "--to", postgres_url)
        assert site.rows("SELECT version_num FROM alembic_version") == [(f"moved {HEAD}",)]
        assert not any(word[:1].isdigit() for (word,) in site.rows("SELECT version_num FROM alembic_version"))


def test_a_newer_database_on_either_side_is_not_copied(tmp_path: Path, postgres_url: str, migrated_url: str) -> None:
    """The columns that this program does not know would stay behind."""
    newer = "UPDATE alembic_version SET version_num = '9999'"
    with settled(tmp_path, accounts=1) as site:
        site.url = migrated_url
        site.run(newer)
        site.url = ""
        with pytest.raises(SchemaTooNewError):
            copy(site, migrated_url)
        with closing(sqlite3.connect(site.data / "menshen.db")) as connection:
            connection.execute(newer)
            connection.commit()
        assert "run the newer menshen" in refused(site, "copy", "--to", postgres_url)


def test_a_link_to_the_database_leads_to_the_same_lock(tmp_path: Path, postgres_url: str) -> None:
    with settled(tmp_path, accounts=1) as site:
        node = site.start()
        (tmp_path / "elsewhere").mkdir()
        link = tmp_path / "elsewhere" / "menshen.db"
        link.symlink_to(site.data / "menshen.db")
        said = menshen(site, "copy", "--from", f"sqlite:///{link}", "--to", postgres_url)
        assert "while the servers run" in said
        assert node.stop() == 0


def test_what_was_moved_is_taken_back_and_revives_nothing(tmp_path: Path, postgres_url: str) -> None:
    with settled(tmp_path, accounts=2) as site:
        assert "nothing to take back" in refused(site, "copy", "--take-back")
        menshen(site, "copy", "--to", postgres_url)
        assert "has no target" in refused(site, "copy", "--take-back", "--to", postgres_url)
        menshen(site, "copy", "--take-back")
        assert site.rows("SELECT epoch FROM installation") == [(2,)]
        assert site.start().stop() == 0


# --- kill -9 ----------------------------------------------------------------------------------------------------------


def cut(data: Path, url: str, number: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.nodes.copies.cut_copy", str(data), url, str(number)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def usable(site: Site, url: str) -> list[str]:
    """Which of the two databases a program may use and finds accounts in."""
    found: list[str] = []
    site.url = ""
    try:
        migrate_sqlite(site.data / "menshen.db")
        found.append("sqlite")
    except MovedAwayError:
        pass
    site.url = url
    if site.rows("SELECT 1 FROM pg_class WHERE relname = 'alembic_version'"):
        try:
            asyncio.run(migrate_postgres(url))
            found.append("postgresql")
        except CopyUnderWayError:
            assert issubclass(CopyUnderWayError, SchemaError)
    site.url = ""
    return found


def killed_everywhere(tmp_path: Path, server: PostgresServer, step: int) -> None:
    with settled(tmp_path, accounts=4) as site:
        kept = tmp_path / "kept"
        shutil.copytree(site.data, kept)
        people = accounts(site)
        whole = server.create()
        total = int(cut(site.data, whole, 0).stdout)
        assert total > 100
        server.drop(whole)
        points = sorted({*range(1, total + 1, step), *range(total - 3, total + 1)})
        met: set[tuple[str, ...]] = set()
        for number in points:
            shutil.rmtree(site.data)
            shutil.copytree(kept, site.data)
            url = server.create()
            assert cut(site.data, url, number).returncode == -signal.SIGKILL
            left = usable(site, url)
            assert len(left) <= 1, f"killed before statement {number}: two databases serve"
            met.add(tuple(left))
            site.url = url
            if not left and number == points[-1]:
                assert UNDER_WAY in refused_start(site)
            site.url = ""
            assert copy(site, url).final
            assert usable(site, url) == ["postgresql"]
            site.url = url
            assert accounts(site) == people
            site.with_store(lambda store: settle(store, "newcomer"))
            site.url = ""
            with pytest.raises(SettingsError, match="in use already"):
                copy(site, url)
            server.drop(url)
        # Before and after the moment at which the old one is given up.
        assert met == {("sqlite",), ()}


@pytest.mark.attack("AD-7")
def test_a_copy_that_is_killed_is_repeated_and_never_are_there_two_databases(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    killed_everywhere(tmp_path, postgres_server, 50)


@pytest.mark.long
def test_a_copy_that_is_killed_before_each_of_its_statements(tmp_path: Path, postgres_server: PostgresServer) -> None:
    killed_everywhere(tmp_path, postgres_server, 1)
