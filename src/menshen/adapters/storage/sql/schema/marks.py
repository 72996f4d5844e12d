"""Mark a database that must not be used: a copy into it is under way, or it was moved away.

A mark is a word before the revision in `alembic_version`. Every program reads the revision when it opens the database,
and refuses one that it does not know. So released programs refuse such a database too. (Decision 0046.)
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from menshen.adapters.storage.sql.engines.patience import USUAL, Patience
from menshen.adapters.storage.sql.engines.sqlite import connect
from menshen.core.time import Instant

COPYING: Final = "copying "
MOVED: Final = "moved "
_MOVED_TABLE: Final = "menshen_moved"


class SchemaError(Exception):
    """Report in one sentence why this program must not use the database as it is."""


class CopyUnderWayError(SchemaError):
    """Report that the database holds a part of another one."""

    def __init__(self) -> None:
        """Say what ends it."""
        super().__init__(
            "a copy into this database is under way: finish it by `menshen copy` with the servers stopped, "
            "or name another database"
        )


class MovedAwayError(SchemaError):
    """Report that another database took the place of this one."""

    def __init__(self, moved: MovedTo) -> None:
        """Say where it went, and how to come back."""
        day = f"{datetime.fromtimestamp(moved.at // 1000, UTC):%Y-%m-%d}"
        super().__init__(
            f"this SQLite database was moved to {moved.target} on {day}: set [storage] url to that one, "
            "or run `menshen copy --take-back` to use this one again"
        )


@dataclass(frozen=True, slots=True)
class MovedTo:
    """Say which copy moved the database, when, and where to. The target is named without a password."""

    copy_id: str
    at: Instant
    target: str


def unmarked(revision: str) -> str:
    """Return the revision without its mark."""
    return revision.removeprefix(COPYING).removeprefix(MOVED)


def refuse_copying(revision: str) -> None:
    """Raise CopyUnderWayError if `revision`, of a PostgreSQL database, says so."""
    if revision.startswith(COPYING):
        raise CopyUnderWayError


def refuse_moved(connection: sqlite3.Connection) -> None:
    """Raise MovedAwayError if the SQLite database was moved."""
    if moved := moved_to(connection):
        raise MovedAwayError(moved)


def moved_to(connection: sqlite3.Connection) -> MovedTo | None:
    """Read where the SQLite database was moved, or None if it is in its place."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (_MOVED_TABLE,)).fetchone():
        return None
    row = connection.execute(f"SELECT copy_id, at, target FROM {_MOVED_TABLE}").fetchone()  # noqa: S608 - our own name
    return MovedTo(*row)


def mark_moved(connection: sqlite3.Connection, copy_id: str, url: str, now: Instant) -> None:
    """Mark the SQLite database as moved to `url`, in the caller's transaction. A second time changes nothing."""
    if moved_to(connection):
        return
    connection.execute(
        f"CREATE TABLE {_MOVED_TABLE} (copy_id TEXT NOT NULL, at INTEGER NOT NULL, target TEXT NOT NULL)"
    )
    connection.execute(
        f"INSERT INTO {_MOVED_TABLE} VALUES (?, ?, ?)",  # noqa: S608
        (copy_id, now, _without_password(url)),
    )
    connection.execute("UPDATE alembic_version SET version_num = ? || version_num", (MOVED,))


def lift_moved(path: Path, patience: Patience = USUAL) -> None:
    """Take the mark away, in one transaction."""
    with closing(connect(path, patience)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(f"DROP TABLE IF EXISTS {_MOVED_TABLE}")
        connection.execute(
            "UPDATE alembic_version SET version_num = substr(version_num, ?) WHERE version_num GLOB ?",
            (len(MOVED) + 1, f"{MOVED}*"),
        )
        connection.execute("COMMIT")


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return f"postgresql://{parts.netloc.rpartition('@')[2]}{parts.path}"
