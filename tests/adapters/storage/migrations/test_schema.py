"""A fresh schema and an upgraded one are the same, on both databases, and both databases have the same tables."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from menshen.adapters.storage.sql.schema.catalogue import tables
from menshen.adapters.storage.sql.schema.migrate import HEAD, MIGRATIONS, migrate_postgres, migrate_sqlite
from tests.adapters.storage.migrations.scripts import revisions, script_to
from tests.patience import LONG

TYPES = {"INTEGER": "bigint", "TEXT": "text", "BLOB": "bytea", "REAL": "double precision"}


def test_head_is_the_newest_file() -> None:
    assert revisions()[-1] == HEAD


def test_each_revision_has_a_file_for_each_database_and_none_is_left_out() -> None:
    assert revisions() == [f"{n:04}" for n in range(1, len(revisions()) + 1)]
    for revision in revisions():
        files = sorted(MIGRATIONS.glob(f"*/{revision}_*"))
        assert re.fullmatch(r"\d{4}_[a-z_]+\.sql", files[0].name)
        assert files == [MIGRATIONS / database / files[0].name for database in ("postgresql", "sqlite")]


# --- fresh and upgraded -----------------------------------------------------------------------------------------------


def sqlite_texts(path: Path) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return dict(connection.execute("SELECT type || ' ' || name, sql FROM sqlite_schema WHERE sql <> ''").fetchall())


@pytest.mark.parametrize("revision", revisions()[:-1])
def test_an_upgraded_schema_is_a_fresh_one(tmp_path: Path, sqlite_template: Path, revision: str) -> None:
    path = tmp_path / "upgraded.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script_to(revision, "sqlite"))
    assert migrate_sqlite(path, LONG)
    assert sqlite_texts(path) == sqlite_texts(sqlite_template)


POSTGRES_SHAPE = (
    """SELECT table_name, column_name, data_type, is_nullable, column_default, ordinal_position
       FROM information_schema.columns WHERE table_schema = 'public'""",
    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
       WHERE connamespace = 'public'::regnamespace""",
    """SELECT tgrelid::regclass::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal""",
    """SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace""",
    """SELECT sequencename, data_type::text, increment_by FROM pg_sequences WHERE schemaname = 'public'""",
)


async def postgres_shape(url: str) -> list[set[tuple[Any, ...]]]:
    connection = await asyncpg.connect(url)
    shape = [{tuple(row) for row in await connection.fetch(query)} for query in POSTGRES_SHAPE]
    await connection.close()
    return shape


@pytest.mark.parametrize("revision", revisions()[:-1])
async def test_an_upgraded_schema_is_a_fresh_one_on_postgres(
    postgres_url: str, postgres_emptied: str, revision: str
) -> None:
    connection = await asyncpg.connect(postgres_url)
    await connection.execute(script_to(revision, "postgresql"))
    await connection.close()
    assert await migrate_postgres(postgres_url, LONG)
    shape = await postgres_shape(postgres_url)
    assert all(shape)
    assert shape == await postgres_shape(postgres_emptied)


# --- SQLite and PostgreSQL --------------------------------------------------------------------------------------------


def test_every_table_of_sqlite_is_strict(sqlite_template: Path) -> None:
    texts = sqlite_texts(sqlite_template)
    assert all(texts[f"table {name}"].rstrip().endswith("STRICT") for name in tables())


def spelled(default: str | None) -> str:
    """A default of SQLite as PostgreSQL writes it."""
    return "'\\x'" if default == "X''" else default or ""


async def test_both_databases_have_the_same_columns(sqlite_template: Path, postgres_emptied: str) -> None:
    columns = 'SELECT name, type, "notnull" OR pk, dflt_value, pk FROM pragma_table_info(?)'
    with closing(sqlite3.connect(sqlite_template)) as file:
        ours = {
            (table, name, TYPES[kind], bool(filled), "" if key else spelled(default))
            for table in tables()
            for name, kind, filled, default, key in file.execute(columns, (table,))
        }
    connection = await asyncpg.connect(postgres_emptied)
    found = await connection.fetch(
        """SELECT table_name, column_name, data_type, is_nullable = 'NO', column_default
           FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'"""
    )
    await connection.close()
    theirs = {(*row[:4], re.sub(r"::\w+$|^nextval.*", "", row[4] or "")) for row in map(tuple, found)}
    assert ours == theirs


async def test_both_databases_have_the_same_indexes(sqlite_template: Path, postgres_emptied: str) -> None:
    ours = set()
    with closing(sqlite3.connect(sqlite_template)) as file:
        for table in tables().values():
            if next(iter(table.columns.values())) == "INTEGER" and len(table.key) == 1:
                ours.add((table.name, table.key, True, False))
            for index, unique, partial in file.execute(
                'SELECT name, "unique", partial FROM pragma_index_list(?)', (table.name,)
            ):
                columns = tuple(name for (name,) in file.execute("SELECT name FROM pragma_index_info(?)", (index,)))
                ours.add((table.name, columns, bool(unique), bool(partial)))
    connection = await asyncpg.connect(postgres_emptied)
    found = await connection.fetch(
        """SELECT indrelid::regclass::text, indisunique, indpred IS NOT NULL,
             (SELECT array_agg(attname::text ORDER BY place) FROM unnest(indkey) WITH ORDINALITY AS key (number, place)
              JOIN pg_attribute ON attrelid = indrelid AND attnum = number)
           FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
           WHERE relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'"""
    )
    await connection.close()
    assert ours == {(row[0], tuple(row[3]), row[1], row[2]) for row in found}
