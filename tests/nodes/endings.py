"""The statements by which somebody with a database client can end a session, and a client that runs them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import asyncpg

TABLES = ("sessions", "accounts", "installation")


@dataclass(frozen=True)
class Ending:
    """Statements of one transaction after which the token of account 1 is not what it was; `after` undoes the rest."""

    name: str
    statements: Sequence[str]
    after: Sequence[str] = ()

    def __str__(self) -> str:
        return self.name


COMMON = (
    Ending("delete", ["DELETE FROM sessions"]),
    Ending("delete by a query", ["DELETE FROM sessions WHERE account_number IN (SELECT number FROM accounts)"]),
    Ending("other token", ["UPDATE sessions SET token_digest = refresh_digest"]),
    Ending("other session", ["UPDATE sessions SET session_id = 'other', token_digest = refresh_digest"]),
    Ending("other epoch", ["UPDATE sessions SET epoch = 0"]),
    Ending("expired", ["UPDATE sessions SET expires_at = 1"]),
    Ending("ended", ["UPDATE sessions SET ends_at = 1"]),
    Ending("other owner", ["UPDATE sessions SET account_number = 2"]),
    Ending("delete account", ["DELETE FROM accounts WHERE number = 1"]),
    Ending("disable account", ["UPDATE accounts SET status = 'disabled'"]),
    Ending("other number", ["UPDATE accounts SET number = 77 WHERE number = 1"]),
    Ending("other role", ["UPDATE accounts SET roles = 'another'"]),
    Ending("other level", ["UPDATE sessions SET level = 2"]),
    Ending("raise epoch", ["UPDATE installation SET epoch = epoch + 1"]),
    Ending("delete installation", ["DELETE FROM installation"]),
    Ending("savepoint", ["SAVEPOINT one", "DELETE FROM sessions", "RELEASE SAVEPOINT one"]),
    Ending(
        "other table",
        ["ALTER TABLE sessions RENAME TO kept", "CREATE TABLE sessions AS SELECT * FROM kept WHERE 1 = 0"],
        ["DROP TABLE sessions", "ALTER TABLE kept RENAME TO sessions"],
    ),
)
POSTGRESQL = (
    Ending("truncate", ["TRUNCATE sessions"]),
    Ending("truncate accounts", ["TRUNCATE accounts"]),
    Ending("truncate installation", ["TRUNCATE installation"]),
    Ending("in a query", ["WITH gone AS (DELETE FROM sessions RETURNING 1) SELECT count(*) FROM gone"]),
    Ending("in a block", ["DO $$ BEGIN DELETE FROM sessions; END $$"]),
    Ending("as a replica", ["SET LOCAL session_replication_role = replica", "DELETE FROM sessions"]),
    Ending(
        "without triggers",
        ["ALTER TABLE sessions DISABLE TRIGGER ALL", "DELETE FROM sessions"],
        ["ALTER TABLE sessions ENABLE TRIGGER ALL"],
    ),
    Ending("commit not awaited", ["SET LOCAL synchronous_commit = off", "DELETE FROM sessions"]),
)


def endings_of(store: str) -> Sequence[Ending]:
    """Those that the database knows."""
    return COMMON if store == "sqlite" else (*COMMON, *POSTGRESQL)


class ByHand:
    """One connection of a database client, past the program. It keeps the rows of its start, and puts them back."""

    def __init__(self, where: Path | str) -> None:
        """Take the file of SQLite, or the address of PostgreSQL."""
        self._where = where
        self.is_file = isinstance(where, Path)
        self._kept: dict[str, Sequence[Sequence[Any]]] = {}
        self._connection: Any = None

    async def __aenter__(self) -> Self:
        if self.is_file:
            self._connection = sqlite3.connect(self._where, timeout=60, isolation_level=None)
        else:
            self._connection = await asyncpg.connect(self._where, timeout=60)
        for table in TABLES:
            self._kept[table] = [tuple(row) for row in await self._rows(f"SELECT * FROM {table}")]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.is_file:
            self._connection.close()
        else:
            self._connection.terminate()

    async def begin(self) -> None:
        await self.run("BEGIN IMMEDIATE" if self.is_file else "BEGIN")

    async def commit(self) -> None:
        await self.run("COMMIT")

    async def run(self, *statements: str) -> None:
        for statement in statements:
            await self._rows(statement)

    async def put_back(self, ending: Ending) -> None:
        """Undo it."""
        await self.begin()
        await self.run(*ending.after)
        for table, rows in self._kept.items():
            await self.run(f"DELETE FROM {table}")
            for row in rows:
                marks = ["?" if self.is_file else f"${n + 1}" for n in range(len(row))]
                await self._rows(f"INSERT INTO {table} VALUES ({', '.join(marks)})", *row)
        await self.commit()

    async def _rows(self, statement: str, *values: Any) -> Sequence[Sequence[Any]]:
        if self.is_file:
            found: Sequence[Sequence[Any]] = self._connection.execute(statement, values).fetchall()
            return found
        if not values and not statement.lower().startswith("select"):
            await self._connection.execute(statement)
            return []
        rows: Sequence[Sequence[Any]] = await self._connection.fetch(statement, *values)
        return rows
