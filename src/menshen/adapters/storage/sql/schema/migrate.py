"""Bring a database to today's schema, once for any number of nodes that start together.

`migrations/` holds two files for each revision, one for each database. An SQLite file gets those that are missing in
one transaction, under its write lock. PostgreSQL gets each in a transaction of its own, under an advisory lock: the
locks of one revision do not last while a later one makes an index. A revision that is killed has not happened, and the
next start goes on behind it. An empty database gets every file in one transaction. A released file never changes, and
each leaves the release before it working.

The table of the revision has the name that Alembic gave it: released programs read it there. (Decision 0034.)
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

from menshen.adapters.storage.sql.engines.file_faults import file_fault, refuse_unusable
from menshen.adapters.storage.sql.engines.patience import USUAL, Patience
from menshen.adapters.storage.sql.engines.sqlite import connect
from menshen.adapters.storage.sql.schema.marks import SchemaError, refuse_copying, refuse_moved, unmarked
from menshen.adapters.storage.sql.statements.reader import Database
from menshen.ports.store.unfit import UnfitError

MIGRATIONS: Final = Path(__file__).parent / "migrations"

HEAD: Final = max(file.name[:4] for file in MIGRATIONS.glob("*/*.sql"))
"""The revision this program speaks: that of the newest file."""

_CONNECT_SECONDS: Final = 5.0
"""An upgrade waits at least this number of seconds for a connection: no request waits for it."""

_UPGRADE_SECONDS: Final = 120.0
"""What the script of one revision may take at least. A longer `[patience] command` counts."""

LOCK: Final = 0x6D656E7368656E  # "menshen"
"""The advisory lock under which a PostgreSQL database is migrated."""


class SchemaTooNewError(SchemaError):
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


def _next(found: str | None) -> str:
    """Return the revision that the next transaction of an upgrade brings. An empty database gets all at once."""
    return HEAD if found is None else f"{int(found) + 1:04}"


def script(database: Database, found: str | None, wanted: str = HEAD) -> str:
    """Join the SQL that brings revision `found` (None: an empty database) to revision `wanted`."""
    missing = [file for file in (MIGRATIONS / database).glob("*.sql") if (found or "") < file.name[:4] <= wanted]
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


def migrate_sqlite(path: Path, patience: Patience = USUAL, *, moved: bool = False) -> bool:
    """Create or upgrade the file; whether anything was done. Atomic. `moved` allows a database that was moved.

    Raises:
        SchemaTooNewError: it belongs to a newer program.
        MovedAwayError: another database took its place.
        UnfitError: an operator has to change something before it can be used.
        Problem: UNAVAILABLE, another process holds its lock.
    """
    refuse_unusable(path)
    _refuse_foreign(path)
    try:
        with closing(connect(path, patience)) as connection:
            # Most starts find it done, and take no lock.
            done = _sqlite_is_done(connection, path, moved=moved)
            _make_private(path)
            if done:
                return False
            connection.execute("BEGIN IMMEDIATE")
            if _sqlite_is_done(connection, path, moved=moved):
                connection.execute("ROLLBACK")
                return False
            found = sqlite_revision(connection, path)
            for statement in _statements(script("sqlite", found and unmarked(found))):
                connection.execute(statement)
            connection.execute("COMMIT")
            return True
    except sqlite3.Error as error:
        raise file_fault(error, path) from error


def _refuse_foreign(path: Path) -> None:
    """Raise UnfitError if the file holds tables of another program. Changes nothing of it.

    To open it for writing changes its header (the mode of its journal), unless it has that mode already.
    """
    if not path.exists() or not path.stat().st_size:
        return
    with path.open("rb") as file:
        header = file.read(20)
    if header[18:] != b"\x02\x02":
        read_revision(path)


def _make_private(path: Path) -> None:
    """Remove the rights of others on a database that was copied here, if this process may do so."""
    for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        with suppress(OSError):
            if file.is_file() and file.stat().st_mode & 0o077:
                file.chmod(0o600)


def read_revision(path: Path) -> str | None:
    """Return the revision of a file as `sqlite_revision` does. Changes nothing of the file.

    Raises:
        UnfitError: as said there, or the file cannot be read as a database.
        Problem: UNAVAILABLE, another process holds its lock.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return sqlite_revision(connection, path)
    except sqlite3.Error as error:
        raise file_fault(error, path) from error


def _sqlite_is_done(connection: sqlite3.Connection, path: Path, *, moved: bool) -> bool:
    found = sqlite_revision(connection, path)
    if found is None:
        return False
    if not moved:
        refuse_moved(connection)
    columns = {row[1] for row in connection.execute("PRAGMA table_info(installation)")}
    least = "oldest_program" in columns and connection.execute("SELECT oldest_program FROM installation").fetchone()
    return _fits(unmarked(found), str(least[0]) if least else "")


def sqlite_revision(connection: sqlite3.Connection, path: Path) -> str | None:
    """Return the revision of the database with its mark, or None for an empty database.

    Raises:
        UnfitError: it holds tables of another program.
    """
    names = "SELECT name FROM sqlite_master WHERE substr(name, 1, 7) <> 'sqlite_'"
    tables = {row[0] for row in connection.execute(names)}
    if not tables:
        return None
    # Other programs have a table of Alembic's too.
    if not {"alembic_version", "installation"} <= tables:
        raise UnfitError(f"{path} holds tables of another program: name a file of its own for Menshen")
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


async def migrate_postgres(url: str, patience: Patience = USUAL) -> bool:
    """Create or upgrade the database at `url`; whether anything was done. It may lead through a pooler.

    Each revision is atomic. Several nodes may do this together: each revision is brought by one of them.

    Raises:
        SchemaTooNewError: it belongs to a newer program.
        CopyUnderWayError: it holds a part of another one.
        UnfitError: an operator has to change something before it can be used.
        Problem: UNAVAILABLE, when it cannot be reached or written.
    """
    from menshen.adapters.storage.sql.engines.connecting import reach

    seconds, changed = max(_UPGRADE_SECONDS, patience.command), False
    async with reach(url, patience, least=_CONNECT_SECONDS, command_seconds=seconds) as connection:
        # Most starts find it done, and take no lock. A transaction holds its connection, behind a pooler too.
        async with connection.transaction(isolation="read_committed"):
            if await _postgres_is_fit(connection):
                return False
        while True:
            async with connection.transaction(isolation="read_committed"):
                await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
                # Another node may have done it while this one waited.
                if await _postgres_is_done(connection):
                    return changed
                found = await postgres_revision(connection)
                await connection.execute(script("postgresql", found, _next(found)))
                changed = True


async def postgres_is_current(url: str, patience: Patience = USUAL) -> bool:
    """Say whether a start would change nothing. Raises as `migrate_postgres`, and changes nothing either."""
    from menshen.adapters.storage.sql.engines.connecting import reach

    async with (
        reach(url, patience, least=_CONNECT_SECONDS) as connection,
        connection.transaction(isolation="read_committed"),
    ):
        return await _postgres_is_fit(connection)


async def _postgres_is_fit(connection: Any) -> bool:
    """Say whether the schema is there, on a server and with rights that are enough. Raises as `migrate_postgres`."""
    from menshen.adapters.storage.sql.schema.fitness import look, refuse_helpless, refuse_missing_rights

    facts = await look(connection)
    found = await postgres_revision(connection)
    if found is None:
        refuse_helpless(facts)
        return False
    done = await _postgres_is_done(connection)
    await refuse_missing_rights(connection, facts, current=done)
    return done


async def postgres_revision(connection: Any) -> str | None:
    """Return the revision of the database with its mark, or None for an empty database.

    Raises:
        UnfitError: it has the tables of another program that uses Alembic.
    """
    # Not to_regclass: it may remember that there was none, from before another node's migration.
    names = await connection.fetchval(
        "SELECT array_agg(relname::text) FROM pg_class"
        " WHERE relname IN ('alembic_version', 'installation') AND pg_table_is_visible(oid)"
    )
    if not names or "alembic_version" not in names:
        return None
    if "installation" not in names:
        raise UnfitError("the database holds tables of another program: name an empty one")
    found: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    return found


async def _postgres_is_done(connection: Any) -> bool:
    found = await postgres_revision(connection)
    if found is None:
        return False
    refuse_copying(found)
    marked = await connection.fetchval(
        "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('installation') AND attname = 'oldest_program'"
    )
    return _fits(found, await connection.fetchval("SELECT oldest_program FROM installation") if marked else "")
