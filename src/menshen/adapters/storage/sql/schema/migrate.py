"""Bring a database to today's schema, once for any number of nodes that start together.

`migrations/` holds two files for each revision, one for each database. Those that are missing run in one transaction of
the driver, under SQLite's write lock or an advisory lock of PostgreSQL. A migration that is killed has not happened. An
empty database gets every file in order. A released file never changes, and each leaves the release before it working.

The table of the revision has the name that Alembic gave it: released programs read it there. (Decision 0034.)
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from menshen.adapters.storage.sql.engines.patience import USUAL, Patience
from menshen.adapters.storage.sql.engines.sqlite import connect
from menshen.adapters.storage.sql.statements.reader import Database
from menshen.core.problems import Problem, ProblemCode

MIGRATIONS: Final = Path(__file__).parent / "migrations"

HEAD: Final = max(file.name[:4] for file in MIGRATIONS.glob("*.sql"))
"""The revision this program speaks: that of the newest file."""

_CONNECT_SECONDS: Final = 5.0
"""An upgrade waits at least this number of seconds for a connection: no request waits for it."""

_UPGRADE_SECONDS: Final = 120.0
"""What each statement of an upgrade may take."""

_LOCK: Final = 0x6D656E7368656E  # "menshen"


class SchemaTooNewError(Exception):
    """Report that a newer program migrated the database. This program would damage its data."""

    def __init__(self, found: str) -> None:
        """Take `found`, the revision of the database."""
        super().__init__(
            f"the database has schema {found}, this program knows schemas up to {HEAD}: run a newer menshen, "
            "or restore a backup made before the upgrade"
        )


def _fits(found: str, oldest_program: str) -> bool:
    """Say whether there is nothing to do: it is today's schema, or a newer one that allows this program.

    Raises:
        SchemaTooNewError: it allows newer programs only.
    """
    if not found.isdigit():
        raise SchemaTooNewError(found)
    if int(found) > int(HEAD) and not (oldest_program.isdigit() and int(oldest_program) <= int(HEAD)):
        raise SchemaTooNewError(found)
    return int(found) >= int(HEAD)


def script(database: Database, found: str | None, wanted: str = HEAD) -> str:
    """Join the SQL that brings revision `found` (None: an empty database) to revision `wanted`."""
    missing = [file for file in MIGRATIONS.glob(f"*.{database}.sql") if (found or "") < file.name[:4] <= wanted]
    steps = [file.read_text("utf-8") for file in sorted(missing)]
    mark = f"DELETE FROM alembic_version;\nINSERT INTO alembic_version VALUES ('{wanted}');\n"  # noqa: S608 - our number
    return "\n".join([*steps, mark])


def _statements(script: str) -> Iterator[str]:
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""


def migrate_sqlite(path: Path, patience: Patience = USUAL) -> bool:
    """Create or upgrade the file; whether anything was done. Atomic.

    Raises:
        SchemaTooNewError: it belongs to a newer program.
        Problem: UNAVAILABLE, when it cannot be opened or written.
    """
    try:
        with closing(connect(path, patience)) as connection:
            # Most starts find it done, and take no lock.
            if _sqlite_is_done(connection):
                return False
            connection.execute("BEGIN IMMEDIATE")
            if _sqlite_is_done(connection):
                connection.execute("ROLLBACK")
                return False
            for statement in _statements(script("sqlite", _sqlite_revision(connection))):
                connection.execute(statement)
            connection.execute("COMMIT")
            return True
    except sqlite3.Error as error:
        raise Problem(ProblemCode.UNAVAILABLE, f"cannot open {path.name}: {error}") from error


def _sqlite_is_done(connection: sqlite3.Connection) -> bool:
    found = _sqlite_revision(connection)
    if found is None:
        return False
    columns = {row[1] for row in connection.execute("PRAGMA table_info(installation)")}
    least = "oldest_program" in columns and connection.execute("SELECT oldest_program FROM installation").fetchone()
    return _fits(found, str(least[0]) if least else "")


def _sqlite_revision(connection: sqlite3.Connection) -> str | None:
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


async def migrate_postgres(url: str, patience: Patience = USUAL) -> bool:
    """Create or upgrade the database at `url`; whether anything was done. Atomic.

    Raises:
        SchemaTooNewError: it belongs to a newer program.
        Problem: UNAVAILABLE, when it cannot be reached or written.
    """
    import asyncpg

    try:
        connection = await asyncpg.connect(
            url, timeout=max(_CONNECT_SECONDS, patience.connect), command_timeout=_UPGRADE_SECONDS
        )
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Problem(ProblemCode.UNAVAILABLE, f"cannot reach the database: {type(error).__name__}") from error
    try:
        if await _postgres_is_done(connection):
            return False
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            # Another node may have done it while this one waited.
            if await _postgres_is_done(connection):
                return False
            await connection.execute(script("postgresql", await _postgres_revision(connection)))
            return True
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Problem(ProblemCode.UNAVAILABLE, f"cannot migrate the database: {type(error).__name__}") from error
    finally:
        connection.terminate()


async def _postgres_revision(connection: Any) -> str | None:
    # Not to_regclass: it may remember that there was none, from before another node's migration.
    known = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'alembic_version' AND pg_table_is_visible(oid))"
    )
    return await connection.fetchval("SELECT version_num FROM alembic_version") if known else None


async def _postgres_is_done(connection: Any) -> bool:
    found = await _postgres_revision(connection)
    if found is None:
        return False
    marked = await connection.fetchval(
        "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('installation') AND attname = 'oldest_program'"
    )
    return _fits(found, await connection.fetchval("SELECT oldest_program FROM installation") if marked else "")
