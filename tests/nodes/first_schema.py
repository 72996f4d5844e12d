"""An installation as the first release would have left it: its rows in a database of schema 0001.

The rows are made by today's program, for clients with real tokens and codes need one; schema 0001 then takes of each
table what it knows. That is what a program of that schema would have written: revisions only add.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import asyncpg

from tests.adapters.storage.migrations.scripts import script_to
from tests.faults.site import Site

FIRST = "0001"
_SQLITE_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
_POSTGRES_COLUMNS = """
    SELECT table_name, column_name, coalesce(pg_get_serial_sequence(quote_ident(table_name), column_name), '')
    FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"""


def to_first_schema(site: Site) -> None:
    """Move what a stopped site on SQLite holds into a file of schema 0001, in the place of its own."""
    head, old = site.data / "menshen.db", site.data / "first.db"
    with closing(sqlite3.connect(old)) as connection:
        connection.executescript(script_to(FIRST, "sqlite"))
        connection.execute("ATTACH ? AS head", (str(head),))
        for (table,) in connection.execute(_SQLITE_TABLES).fetchall():
            if table == "alembic_version":
                continue
            columns = ", ".join(row[1] for row in connection.execute(f"PRAGMA main.table_info({table})"))
            connection.execute(f"DELETE FROM main.{table}")
            connection.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM head.{table}")
        connection.commit()
    for file in (head, *(head.with_name(head.name + part) for part in ("-wal", "-shm"))):
        file.unlink(missing_ok=True)
    old.rename(head)


async def to_first_schema_of_postgres(head: str, old: str) -> None:
    """Copy what the database at `head` holds into the empty one at `old`, which becomes one of schema 0001."""
    source, target = await asyncpg.connect(head), await asyncpg.connect(old)
    try:
        await target.execute(script_to(FIRST, "postgresql"))
        columns: dict[str, list[str]] = {}
        sequences: list[tuple[str, str, str]] = []
        for table, column, sequence in await target.fetch(_POSTGRES_COLUMNS):
            columns.setdefault(table, []).append(column)
            if sequence:
                sequences.append((table, column, sequence))
        del columns["alembic_version"]
        for table, names in columns.items():
            await target.execute(f"DELETE FROM {table}")
            rows = await source.fetch(f"SELECT {', '.join(names)} FROM {table}")
            await target.copy_records_to_table(table, records=[tuple(row) for row in rows], columns=names)
        for table, column, sequence in sequences:
            await target.execute(f"SELECT setval('{sequence}', (SELECT coalesce(max({column}), 0) + 1 FROM {table}))")
    finally:
        await source.close()
        await target.close()


def content(site: Site) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, in order, by table."""
    if site.url:
        tables = site.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    else:
        tables = site.rows(_SQLITE_TABLES)
    return {table: sorted(site.rows(f"SELECT * FROM {table}"), key=repr) for (table,) in tables}
