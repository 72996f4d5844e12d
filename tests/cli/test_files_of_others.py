"""A database address that leads to what is no database of Menshen's: it is named, and nothing of it changes."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from menshen.adapters.storage.sql.schema.migrate import HEAD
from tests.cli.conftest import Menshen


@pytest.fixture
def elsewhere(menshen: Menshen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A path outside the data directory, which `[storage] url` names."""
    path = tmp_path / "elsewhere" / "x.db"
    path.parent.mkdir()
    # There are keys already.
    assert menshen("migrate").code == 0
    monkeypatch.setenv("MENSHEN_STORAGE__URL", f"sqlite:///{path}")
    return path


ALEMBIC = "CREATE TABLE alembic_version (version_num TEXT); INSERT INTO alembic_version VALUES ('{}');"


@pytest.mark.parametrize("beside", ["", *(ALEMBIC.format(revision) for revision in ("ae1027a6acf1", "0003", HEAD))])
def test_the_file_of_another_program_is_refused(menshen: Menshen, elsewhere: Path, beside: str) -> None:
    with closing(sqlite3.connect(elsewhere)) as connection:
        connection.executescript("CREATE TABLE notes (text TEXT);" + beside)
        connection.commit()
    elsewhere.chmod(0o644)
    before = elsewhere.read_bytes()
    for command in ("check", "migrate"):
        done = menshen(command)
        assert done.code == 1
        assert f"{elsewhere} holds tables of another program" in done.err
    assert elsewhere.read_bytes() == before
    assert elsewhere.stat().st_mode & 0o777 == 0o644


def test_an_empty_file_becomes_a_database(menshen: Menshen, elsewhere: Path) -> None:
    elsewhere.touch()
    assert "the database is empty or older than this program" in menshen("check").out
    assert menshen("migrate").code == 0
    assert menshen("check").out == "no errors and no warnings\n"


def test_what_is_no_plain_file_keeps_its_mode(menshen: Menshen, elsewhere: Path) -> None:
    """As root, a command closed /dev/null for everybody else."""
    os.mkfifo(elsewhere, 0o666)
    elsewhere.chmod(0o666)
    for command in ("check", "migrate"):
        done = menshen(command)
        assert done.code == 1
        assert f"{elsewhere} is no plain file: name another one" in done.err
    assert elsewhere.stat().st_mode & 0o777 == 0o666


def test_check_finds_what_the_first_start_would_find(menshen: Menshen, elsewhere: Path) -> None:
    elsewhere.with_name("x.db.lock").mkdir()
    done = menshen("check")
    assert done.code == 1
    assert f"cannot open {elsewhere}: {elsewhere}.lock is a folder: name a file" in done.err
