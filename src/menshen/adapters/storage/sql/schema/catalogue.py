"""Read from the migrations which tables this program knows. There is no second list to keep in step."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache

from menshen.adapters.storage.sql.schema.migrate import script


@dataclass(frozen=True, slots=True)
class Table:
    """Describe a table. `columns` maps each to its type on SQLite; `key` is the primary key in its order.

    `seeded`: the migrations put rows into it.
    """

    name: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    seeded: bool


@cache
def tables() -> Mapping[str, Table]:
    """Read the catalogue of an empty database in memory: some milliseconds, once."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(script("sqlite", None))
        names = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*'"
            " AND name <> 'alembic_version' ORDER BY name"
        ).fetchall()
        return {name: _table(connection, name) for (name,) in names}


def _table(connection: sqlite3.Connection, name: str) -> Table:
    found = connection.execute("SELECT name, type, pk FROM pragma_table_info(?) ORDER BY cid", (name,)).fetchall()
    key = sorted((place, column) for column, _, place in found if place)
    seeded = connection.execute(f'SELECT EXISTS (SELECT 1 FROM "{name}")').fetchone()[0]  # noqa: S608 - our own schema
    return Table(name, {column: kind for column, kind, _ in found}, tuple(column for _, column in key), bool(seeded))
