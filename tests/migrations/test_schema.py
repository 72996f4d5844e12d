"""The schema that migrations make is the one that statements are written for."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from menshen.storage.sql.migrate import HEAD, migrate_postgres, migrate_sqlite
from menshen.storage.sql.tables import metadata
from tests.migrations.scripts import VERSIONS, revisions, script_of_tables
from tests.patience import LONG
from tests.postgres import PostgresServer

TABLES = sorted(metadata.tables)


def test_head_is_the_newest_file() -> None:
    assert revisions()[-1] == HEAD


def test_revisions_follow_each_other_without_a_gap() -> None:
    assert revisions() == [f"{n:04}" for n in range(1, len(revisions()) + 1)]
    before = "None"
    for revision in revisions():
        (file,) = VERSIONS.glob(f"v{revision}_*.py")
        text = file.read_text("utf-8")
        assert re.search(rf'^revision = "{revision}"$', text, re.MULTILINE), file.name
        assert re.search(rf"^down_revision = {before}$", text, re.MULTILINE), file.name
        before = f'"{revision}"'


def sqlite_shape(connection: sqlite3.Connection) -> dict[str, Any]:
    """Everything that tells one schema from another, without the words it was made with."""
    shape: dict[str, Any] = {}
    for name, sql in connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall():
        if name not in TABLES:
            continue
        indexes = set()
        for _, index, unique, _, partial in connection.execute(f"PRAGMA index_list('{name}')").fetchall():
            columns = tuple(row[2] for row in connection.execute(f"PRAGMA index_info('{index}')").fetchall())
            (text,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (index,)).fetchone()
            where = re.sub(r"\s+", " ", text.partition("WHERE")[2]) if partial else ""
            indexes.add((index if text else "", columns, unique, where))
        shape[name] = {
            "columns": {row[1]: row[2:] for row in connection.execute(f"PRAGMA table_xinfo('{name}')").fetchall()},
            "indexes": indexes,
            "strict": sql.rstrip().upper().endswith("STRICT"),
            "autoincrement": "AUTOINCREMENT" in sql.upper(),
        }
    return shape


def test_on_sqlite(tmp_path: Path) -> None:
    assert migrate_sqlite(tmp_path / "migrated.db")
    migrated = sqlite3.connect(tmp_path / "migrated.db")
    wanted = sqlite3.connect(tmp_path / "wanted.db")
    wanted.executescript(script_of_tables("sqlite"))
    shape = sqlite_shape(migrated)
    assert sorted(shape) == TABLES
    assert shape == sqlite_shape(wanted)
    assert all(table["strict"] for table in shape.values())
    assert migrated.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    for connection in (migrated, wanted):
        connection.close()


POSTGRES_SHAPE = {
    "columns": """
        SELECT table_name, column_name, data_type, is_nullable, regexp_replace(column_default, '::\\w+', '')
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name = ANY($1) ORDER BY 1, 2""",
    "indexes": """
        SELECT tablename, regexp_replace(indexdef, 'INDEX \\S+ ON', 'INDEX ON') AS def
        FROM pg_indexes WHERE schemaname = 'public' AND tablename = ANY($1) ORDER BY 1, 2""",
    "names": """
        SELECT indexname FROM pg_indexes
        WHERE schemaname = 'public' AND tablename = ANY($1) AND indexname !~ '_(key|pkey)$' ORDER BY 1""",
}


async def postgres_shape(url: str) -> dict[str, list[tuple[Any, ...]]]:
    connection = await asyncpg.connect(url)
    shape = {
        what: [tuple(row) for row in await connection.fetch(query, TABLES)] for what, query in POSTGRES_SHAPE.items()
    }
    await connection.close()
    return shape


async def test_on_postgres(postgres_server: PostgresServer, postgres_url: str) -> None:
    assert await migrate_postgres(postgres_url, LONG)
    url = postgres_server.create()
    connection = await asyncpg.connect(url)
    await connection.execute(script_of_tables("postgresql"))
    await connection.close()
    shape = await postgres_shape(postgres_url)
    assert sorted({row[0] for row in shape["columns"]}) == TABLES
    assert shape == await postgres_shape(url)
    postgres_server.drop(url)


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_a_change_of_the_tables_alone_would_be_seen(dialect: str) -> None:
    """The comparison above rests on this script holding every column and index."""
    script = script_of_tables(dialect)
    for table in metadata.tables.values():
        for column in table.columns:
            assert re.search(rf'CREATE TABLE {table.name} \([^;]*[\t "]{column.name}"? ', script), column
        for index in table.indexes:
            assert f"INDEX {index.name} ON {table.name}" in script
