"""What waiting does not cure on SQLite: `check` and the start name the file, its owner and the remedy."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from menshen.adapters.storage.sql.engines.file_faults import file_fault, why_unusable
from menshen.core.problems import Problem
from menshen.ports.store.unfit import UnfitError
from tests.faults.site import Site
from tests.server import MENSHEN, free_port

pytestmark = pytest.mark.sqlite_file

ROOT = os.geteuid() == 0
# Root may write everything: here it may not.
PLAIN = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if ROOT else []
NOBODY = 65534


def command(site: Site, *arguments: str) -> subprocess.CompletedProcess[str]:
    words: list[str | Path] = [*PLAIN, MENSHEN, *arguments, "--data", site.data]
    return subprocess.run(words, env=site.start_environ, capture_output=True, text=True, check=False, timeout=120)


def owned_by_another(site: Site) -> None:
    (site.data / "menshen.db").chmod(0o644)
    os.chown(site.data / "menshen.db", NOBODY, -1)


def lock_of_another(site: Site) -> None:
    (site.data / "menshen.db.lock").chmod(0o644)
    os.chown(site.data / "menshen.db.lock", NOBODY, -1)


def may_only_be_read(site: Site) -> None:
    (site.data / "menshen.db").chmod(0o400)


def folder_may_only_be_read(site: Site) -> None:
    site.data.chmod(0o500)


def is_none(site: Site) -> None:
    (site.data / "menshen.db").write_bytes(b"not a database at all" * 1000)


def is_a_folder(site: Site) -> None:
    (site.data / "menshen.db").rename(site.data / "other.db")
    (site.data / "menshen.db").mkdir()


OTHER = r"belongs to \S+, and this process runs as \S+; chown it, or run as \S+"
ROOTS = pytest.mark.skipif(not ROOT, reason="only root gives files away")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        pytest.param(owned_by_another, rf"data/menshen\.db cannot be written: it {OTHER}", marks=ROOTS),
        pytest.param(lock_of_another, rf"data/menshen\.db\.lock cannot be written: it {OTHER}", marks=ROOTS),
        (may_only_be_read, r"data/menshen\.db cannot be written: give its owner the right to write"),
        (folder_may_only_be_read, r"data cannot be written: give its owner the right to write"),
        (is_none, r"cannot open \S+/data/menshen\.db: file is not a database: name another one, or restore a backup"),
        (is_a_folder, r"cannot open \S+/data/menshen\.db: \S+/data/menshen\.db is a folder: name a file"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_by_check_and_start(
    tmp_path: Path, spoil: Callable[[Site], None], sentence: str
) -> None:
    site = Site(tmp_path / "data", "")
    site.settle(0)
    for end in ("-wal", "-shm"):
        site.data.joinpath(f"menshen.db{end}").unlink(missing_ok=True)
    spoil(site)
    try:
        checked = command(site, "check")
        started = command(site, "serve", "--port", str(free_port()))
    finally:
        site.data.chmod(0o700)
    for done in (checked, started):
        assert done.returncode == 1, done.stdout
        assert re.search(sentence, done.stderr), done.stderr
        assert "Traceback" not in done.stderr
        assert "fault of the program" not in done.stderr


def test_a_lock_ends_by_itself_and_nothing_else_does(tmp_path: Path) -> None:
    path = tmp_path / "menshen.db"
    with closing(sqlite3.connect(path)) as one, closing(sqlite3.connect(path, timeout=0)) as other:
        one.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError) as caught:
            other.execute("BEGIN IMMEDIATE")
        fault = file_fault(caught.value, path)
        assert type(fault) is Problem
        assert str(fault) == f"another process holds the lock of {path}"
        one.execute("ROLLBACK")
        other.execute("PRAGMA max_page_count = 1")
        with pytest.raises(sqlite3.OperationalError) as full:
            other.execute("CREATE TABLE a (b)")
    fault = file_fault(full.value, path)
    assert type(fault) is UnfitError
    assert str(fault) == f"cannot open {path}: its disk is full: free space there"


def test_a_file_in_order_has_no_fault(tmp_path: Path) -> None:
    assert why_unusable(tmp_path / "menshen.db") is None
    (tmp_path / "menshen.db").touch()
    assert why_unusable(tmp_path / "menshen.db") is None
