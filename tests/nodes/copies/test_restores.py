"""A restore, a backup or an import loses nothing that was answered, however often it runs and where it is killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from menshen.app.installation.backups import put_back, take_backup
from menshen.app.keys_file import rotate
from menshen.app.settings.reader import SettingsError
from menshen.app.world import SystemWorld
from menshen.testing.store_contract.records import settle
from tests.faults.site import Site, settled
from tests.nodes.test_moving import menshen


def names(file: Path) -> set[str]:
    with closing(sqlite3.connect(file)) as connection:
        return {row[0] for row in connection.execute("SELECT username FROM accounts")}


def add(site: Site, name: str) -> None:
    site.with_store(lambda store: settle(store, name))


def leave_as_after_a_kill(file: Path, write: Callable[[], None]) -> None:
    """Let `write` commit rows that stand in the -wal file only, as a killed server leaves them."""
    with closing(sqlite3.connect(file)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM accounts").fetchone()
        write()
        kept = {part: part.read_bytes() for part in (file, file.with_name(f"{file.name}-wal"))}
    for part, content in kept.items():
        part.write_bytes(content)


def cut(data: Path, file: Path, number: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.nodes.copies.cut_restore", str(data), str(file), str(number)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.attack("AD-7")
def test_a_second_restore_keeps_what_the_first_one_kept(tmp_path: Path) -> None:
    with settled(tmp_path, accounts=1) as site:
        data, world = site.data, SystemWorld()
        take_backup(site.settings, tmp_path / "wrong.db")
        add(site, "acknowledged")
        assert put_back(site.settings, tmp_path / "wrong.db", world) == data / "menshen.db.before-restore"
        # It was the wrong file: the right one is put back, and what was there first is not deleted.
        add(site, "between")
        assert put_back(site.settings, tmp_path / "wrong.db", world) == data / "menshen.db.before-restore.2"
        assert names(data / "menshen.db.before-restore") == {"player0", "acknowledged"}
        assert names(data / "menshen.db.before-restore.2") == {"player0", "between"}
        put_back(site.settings, data / "menshen.db.before-restore", world)
        assert names(data / "menshen.db") == {"player0", "acknowledged"}


@pytest.mark.attack("AD-7")
def test_a_restore_that_is_killed_leaves_a_whole_database(tmp_path: Path) -> None:
    """The rows of the old one stand in its -wal file: whatever is killed, they are not lost."""
    with settled(tmp_path, accounts=1) as site:
        database = site.data / "menshen.db"
        take_backup(site.settings, tmp_path / "backup.db")
        leave_as_after_a_kill(database, lambda: add(site, "acknowledged"))
        kept = tmp_path / "kept"
        shutil.copytree(site.data, kept)
        assert names(tmp_path / "kept" / "menshen.db") == {"player0", "acknowledged"}
        shutil.rmtree(kept)
        shutil.copytree(site.data, kept)
        number, met = 0, set()
        while True:
            number += 1
            done = cut(site.data, tmp_path / "backup.db", number)
            if done.returncode == 0:
                break
            assert done.returncode == -signal.SIGKILL, done.stderr
            # A server that starts now would make an empty one in its place.
            assert database.exists()
            old = names(database) == {"player0", "acknowledged"}
            assert old or names(site.data / "menshen.db.before-restore") == {"player0", "acknowledged"}
            met.add(old)
            put_back(site.settings, tmp_path / "backup.db", SystemWorld())
            assert names(database) == {"player0"}
            if old:
                assert names(site.data / "menshen.db.before-restore") == {"player0", "acknowledged"}
            assert not [path.name for path in site.data.iterdir() if "restoring" in path.name]
            shutil.rmtree(site.data)
            shutil.copytree(kept, site.data)
        assert met == {True, False}
        assert number > 8


def test_a_database_that_is_put_back_comes_with_its_last_rows(tmp_path: Path) -> None:
    """Somebody puts back the file of a server that was killed: no backup, but its rows count."""
    with settled(tmp_path, accounts=1) as site:
        leave_as_after_a_kill(site.data / "menshen.db", lambda: add(site, "acknowledged"))
        (tmp_path / "rescued").mkdir()
        for part in site.data.glob("menshen.db*"):
            shutil.copy(part, tmp_path / "rescued")
        take_backup(site.settings, tmp_path / "b.db")
        put_back(site.settings, tmp_path / "rescued" / "menshen.db", SystemWorld())
        assert "acknowledged" in names(site.data / "menshen.db")


def test_a_damaged_database_is_kept_with_all_its_files(tmp_path: Path) -> None:
    with settled(tmp_path, accounts=1) as site:
        take_backup(site.settings, tmp_path / "backup.db")
        (site.data / "menshen.db").write_bytes(b"no database at all" * 1000)
        (site.data / "menshen.db-wal").write_bytes(b"what is left of it")
        kept = put_back(site.settings, tmp_path / "backup.db", SystemWorld())
        assert kept is not None
        assert kept.read_bytes().startswith(b"no database")
        assert kept.with_name(f"{kept.name}-wal").read_bytes() == b"what is left of it"
        assert names(site.data / "menshen.db") == {"player0"}


def test_without_links_the_old_database_is_kept_too(tmp_path: Path) -> None:
    with settled(tmp_path, accounts=1) as site:
        take_backup(site.settings, tmp_path / "backup.db")
        add(site, "acknowledged")
        assert cut(site.data, tmp_path / "backup.db", -1).returncode == 0
        assert names(site.data / "menshen.db.before-restore") == {"player0", "acknowledged"}


def test_two_backups_to_one_name_do_not_mix(tmp_path: Path) -> None:
    with settled(tmp_path, accounts=1) as site:
        folder = os.open(tmp_path, os.O_RDONLY)
        fcntl.flock(folder, fcntl.LOCK_EX)
        with pytest.raises(SettingsError, match="another backup into"):
            take_backup(site.settings, tmp_path / "b.db")
        os.close(folder)
        assert take_backup(site.settings, tmp_path / "b.db") > 0


def test_a_key_that_was_taken_out_too_early_is_named_by_a_sentence(tmp_path: Path) -> None:
    """The default app has the new key, another app the old one: nothing starts, and nothing is overwritten."""
    with settled(tmp_path, accounts=1) as site:
        rotate(site.settings.keys_path, SystemWorld())
        menshen(site, "app", "rotate-secret", "default")
        take_backup(site.settings, tmp_path / "backup.db")
        whole = site.settings.keys_path.read_text()
        newest, index = whole.split("[[keys]]")[1], whole.split("[index]")[1]
        site.settings.keys_path.write_text(f"[[keys]]{newest}\n[index]{index}")
        log = tmp_path / "refused.log"
        assert site.launch(log=log).process.wait(60) == 1
        assert "made with other keys" in log.read_text()
        assert "put the key back" in menshen(site, "app", "list", status=1)
        assert "put that key back first" in menshen(site, "restore", str(tmp_path / "backup.db"), status=1)
        site.settings.keys_path.write_text(whole)
        assert site.start().stop() == 0


def test_a_report_does_not_replace_the_dump(tmp_path: Path) -> None:
    with settled(tmp_path, accounts=1) as site:
        dump = tmp_path / "dump.sql"
        dump.write_text("-- all we have\n")
        said = menshen(site, "import", "careyshop", str(dump), "--report", str(dump), status=1)
        assert "is the dump itself" in said
        assert dump.read_text() == "-- all we have\n"
