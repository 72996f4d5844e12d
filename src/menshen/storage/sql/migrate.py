"""Bringing a database to today's schema, once, however many nodes start together.

Alembic renders the missing revisions as SQL; that script runs in one transaction of the driver, under
SQLite's write lock or an advisory lock of PostgreSQL. A migration that is killed has not happened.
"""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from menshen.core.problems import Problem, ProblemCode
from menshen.storage.sql.sqlite import connect

HEAD: Final = "0001"
"""The revision this program speaks; a test holds it to the newest file."""

_LOCK: Final = 0x6D656E7368656E  # "menshen"


class SchemaTooNewError(Exception):
    """The database was migrated by a newer program, whose data this one would damage."""

    def __init__(self, found: str) -> None:
        """`found` is the revision of the database."""
        super().__init__(
            f"the database has schema {found}, this program knows schemas up to {HEAD}: run a newer menshen, "
            "or restore a backup made before the upgrade"
        )


def _script(dialect: str, found: str | None) -> str:
    """SQL from revision `found` (None: an empty database) to HEAD, "" when there is nothing to do."""
    if found == HEAD:
        return ""
    if found is not None and (not found.isdigit() or int(found) > int(HEAD)):
        raise SchemaTooNewError(found)
    # Imported late: most starts need no migration, and Alembic takes longer to load than they take to answer.
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    scripts = ScriptDirectory.from_config(config)
    out = io.StringIO()

    def steps(revision: object, _: object) -> object:
        return scripts._upgrade_revs("head", revision)  # type: ignore[arg-type]  # noqa: SLF001 - Alembic's own env files do so

    with EnvironmentContext(config, scripts, fn=steps, as_sql=True, starting_rev=found, destination_rev="head") as env:
        env.configure(dialect_name=dialect, output_buffer=out)
        env.run_migrations()
    return out.getvalue()


def _statements(script: str) -> Iterator[str]:
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""


def migrate_sqlite(path: Path) -> bool:
    """Create or upgrade the file; whether anything was done. Atomic.

    Raises:
        SchemaTooNewError: it belongs to a newer program.
        Problem: UNAVAILABLE, when it cannot be opened or written.
    """
    try:
        with closing(connect(path)) as connection:
            if _sqlite_revision(connection) == HEAD:
                return False
            connection.execute("BEGIN IMMEDIATE")
            script = _script("sqlite", _sqlite_revision(connection))
            for statement in _statements(script):
                connection.execute(statement)
            connection.execute("COMMIT")
            return bool(script)
    except sqlite3.Error as error:
        raise Problem(ProblemCode.UNAVAILABLE, f"cannot open {path.name}: {error}") from error


def _sqlite_revision(connection: sqlite3.Connection) -> str | None:
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


async def migrate_postgres(url: str) -> bool:
    """Create or upgrade the database at `url`; whether anything was done. Atomic.

    Raises:
        SchemaTooNewError: it belongs to a newer program.
        Problem: UNAVAILABLE, when it cannot be reached or written.
    """
    import asyncpg

    try:
        connection = await asyncpg.connect(url, timeout=5)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Problem(ProblemCode.UNAVAILABLE, f"cannot reach the database: {type(error).__name__}") from error
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            known = await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL")
            found = await connection.fetchval("SELECT version_num FROM alembic_version") if known else None
            script = _script("postgresql", found)
            if script:
                await connection.execute(script)
            return bool(script)
    finally:
        await connection.close()
