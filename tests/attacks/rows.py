"""Rows of an installation's SQLite file, as somebody with a copy of it sees them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.harness import Harness


def tables(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with closing(sqlite3.connect(f"file:{folder / 'menshen.db'}?mode=ro", uri=True)) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}


def columns(folder: Path) -> list[tuple[str, str]]:
    """(table, column) of the whole schema."""
    with closing(sqlite3.connect(f"file:{folder / 'menshen.db'}?mode=ro", uri=True)) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return [(name, row[1]) for name in names for row in connection.execute(f'PRAGMA table_info("{name}")')]


def counts(h: Harness) -> dict[str, int]:
    """How many rows each table has."""
    return {name: len(rows) for name, rows in tables(h.data_dir).items()}
