"""Make a PostgreSQL database hold exactly what an SQLite file holds, after any number of runs.

Both sides of a table are read in the order of its key and compared. The differences are written in batches, each a
transaction. So an interrupted copy continues where it stopped. A second run moves only what changed since the first.
A run that finds no difference proves that both are alike. No value is interpreted: digests stay digests, numbers keep
their values. (docs/operate/operations.md#from-sqlite-to-postgresql.)
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from menshen.adapters.storage.sql.engines.connecting import FAILURES, address_of, dial
from menshen.adapters.storage.sql.engines.faults import fault_of
from menshen.adapters.storage.sql.schema.catalogue import Table, tables
from menshen.adapters.storage.sql.schema.fitness import look, refuse_pooler
from menshen.adapters.storage.sql.schema.marks import MovedAwayError, mark_moved, moved_to
from menshen.adapters.storage.sql.schema.target import CopyError, claim, release
from menshen.core.problems import Problem
from menshen.core.time import Instant

BATCH: Final = 5_000
_CONNECT_SECONDS: Final = 10.0

Row = tuple[Any, ...]
Progress = Callable[[str, str, int, int], None]
"""Receive (table, stage, rows done, rows in all)."""


@dataclass(frozen=True, slots=True)
class Copied:
    """Describe one table that is alike on both sides. `digest` is SHA-256 over its rows in the order of the key."""

    table: str
    rows: int
    moved: int
    digest: str


@dataclass(frozen=True, slots=True)
class Run:
    """Hold what a run is given: its moment, and a random name that its copy has if it is the first.

    `final` completes the copy.
    """

    now: Instant
    name: str
    final: bool


class _Shape:
    """Hold a table's columns and key, and the words of both databases for it."""

    def __init__(self, table: Table) -> None:
        self.name = table.name
        self.columns = list(table.columns)
        self.key_columns = table.key
        self.key_at = [self.columns.index(key) for key in table.key]
        # The order of bytes, on both sides: a locale's order is not SQLite's.
        ordered = [f'"{key}"' + (' COLLATE "C"' if table.columns[key] == "TEXT" else "") for key in table.key]
        listed = ", ".join(f'"{name}"' for name in self.columns)
        self.read_sqlite = f'SELECT {listed} FROM "{table.name}" ORDER BY ' + ", ".join(f'"{key}"' for key in table.key)  # noqa: S608 - names of our own schema
        self.read_postgres = f'SELECT {listed} FROM "{table.name}" ORDER BY ' + ", ".join(ordered)  # noqa: S608
        wanted = " AND ".join(f'"{key}" = ${n}' for n, key in enumerate(table.key, 1))
        self.delete = f'DELETE FROM "{table.name}" WHERE {wanted}'  # noqa: S608

    def key(self, row: Row) -> tuple[Any, ...]:
        return tuple(_orderly(row[at]) for at in self.key_at)

    def raw_key(self, row: Row) -> list[Any]:
        return [row[at] for at in self.key_at]


def _orderly(value: Any) -> Any:
    # Python orders text by code points, which is the order of its UTF-8 bytes.
    return bytes(value) if isinstance(value, memoryview) else value


async def copy_database(source: sqlite3.Connection, url: str, progress: Progress, given: Run) -> list[Copied]:
    """Make the database at `url` hold what `source` holds at this moment.

    A final run reads `source` in a transaction that keeps other writers out, and marks it as moved there. Then the
    target loses its mark. A copy that was cut between the two is completed by the next run.

    Raises:
        CopyError: the target cannot be reached or was used, `source` was moved already, or both differ in the end.
        SchemaTooNewError: the target belongs to a newer program.
        asyncpg.PostgresError, OSError, sqlite3.Error: one side failed; run it again.
    """
    reader = await _connect(url)
    writer = await _connect(url)
    try:
        source.execute("BEGIN IMMEDIATE" if given.final else "BEGIN")
        name = await _claim(writer, source, given.name)
        # Rows of `revocations` are for programs before decision 0049 that read this database now.
        shapes = [_Shape(table) for table in tables().values() if table.name != "revocations"]
        moved = {shape.name: await _level(shape, source, reader, writer, progress) for shape in shapes}
        proofs = [await _prove(shape, source, reader, progress) for shape in shapes]
        for shape in shapes:
            await _wind_counter(shape, source, writer)
        if given.final:
            mark_moved(source, name, url, given.now)
            source.execute("COMMIT")
            await release(writer)
        return [Copied(name, rows, moved[name], digest) for name, rows, digest in proofs]
    finally:
        if source.in_transaction:
            source.execute("ROLLBACK")
        reader.terminate()
        writer.terminate()


async def _connect(url: str) -> Any:
    connection: Any = None
    address = address_of(url)
    try:
        connection = await dial(address, _CONNECT_SECONDS, None, named=100)
        async with connection.transaction():
            await look(connection)
            # A lock that outlives its transaction, and a cursor beside it, are held by the connection.
            await refuse_pooler(connection, address)
    except (Problem, *FAILURES) as error:
        if connection is not None:
            connection.terminate()
        why = error if isinstance(error, Problem) else fault_of(error, address, _CONNECT_SECONDS)
        raise CopyError(f"the target cannot be used: {why}") from error
    return connection


async def _claim(writer: Any, source: sqlite3.Connection, new_name: str) -> str:
    first = source.execute("SELECT appkey FROM apps ORDER BY app_id LIMIT 1").fetchone()
    of = hashlib.sha256((first[0] if first else "").encode()).hexdigest()
    moved = moved_to(source)
    try:
        return await claim(writer, of, new_name, moved.copy_id if moved else None)
    except CopyError as error:
        raise (CopyError(f"{error}; {MovedAwayError(moved)}") if moved else error) from None


async def _level(shape: _Shape, source: sqlite3.Connection, reader: Any, writer: Any, progress: Progress) -> int:
    """Put right what differs; how many rows were moved."""
    total = _count(shape, source)
    doomed: list[list[Any]] = []
    missing = False
    if await reader.fetchval(f'SELECT EXISTS (SELECT 1 FROM "{shape.name}")'):  # noqa: S608
        # First everything leaves that is wrong, then what is right comes: a unique name may have changed hands.
        done = 0
        async for ours, theirs in _side_by_side(shape, source, reader):
            done += ours is not None
            if ours != theirs:
                missing = missing or ours is not None
                if theirs is not None:
                    doomed.append(shape.raw_key(theirs))
            if done % BATCH == 0:
                progress(shape.name, "compare", done, total)
        for start in range(0, len(doomed), BATCH):
            await writer.executemany(shape.delete, doomed[start : start + BATCH])
    else:
        missing = total > 0
    if not missing:
        progress(shape.name, "compare", total, total)
        return len(doomed)
    moved = done = 0
    batch: list[Row] = []
    async for ours, theirs in _side_by_side(shape, source, reader):
        if ours is not None and theirs is None:
            batch.append(ours)
        done += ours is not None
        if len(batch) >= BATCH:
            moved += await _bring(shape, writer, batch)
        if done % BATCH == 0:
            progress(shape.name, "copy", done, total)
    moved += await _bring(shape, writer, batch)
    progress(shape.name, "copy", total, total)
    return moved


async def _bring(shape: _Shape, writer: Any, batch: list[Row]) -> int:
    count = len(batch)
    if batch:
        await writer.copy_records_to_table(shape.name, records=batch, columns=shape.columns)
        batch.clear()
    return count


async def _side_by_side(
    shape: _Shape, source: sqlite3.Connection, reader: Any
) -> AsyncIterator[tuple[Row | None, Row | None]]:
    """Yield pairs of rows with the same key, None where one side has none."""
    async with reader.transaction(isolation="repeatable_read", readonly=True):
        theirs_left = _tuples(reader.cursor(shape.read_postgres, prefetch=2000))
        ours_left: Iterator[Row] = source.execute(shape.read_sqlite)
        ours, theirs = next(ours_left, None), await anext(theirs_left, None)
        while ours is not None or theirs is not None:
            if theirs is None or (ours is not None and shape.key(ours) < shape.key(theirs)):
                yield ours, None
                ours = next(ours_left, None)
            elif ours is None or shape.key(theirs) < shape.key(ours):
                yield None, theirs
                theirs = await anext(theirs_left, None)
            else:
                yield ours, theirs
                ours, theirs = next(ours_left, None), await anext(theirs_left, None)


async def _tuples(cursor: Any) -> AsyncIterator[Row]:
    async for record in cursor:
        yield tuple(record)


async def _prove(shape: _Shape, source: sqlite3.Connection, reader: Any, progress: Progress) -> tuple[str, int, str]:
    """Count and digest both sides. Raises CopyError when they differ."""
    total, counts = _count(shape, source), [0, 0]
    digests = [hashlib.sha256(), hashlib.sha256()]
    async for pair in _side_by_side(shape, source, reader):
        for side, row in enumerate(pair):
            if row is not None:
                counts[side] += 1
                digests[side].update(repr(row).encode("utf-8", "surrogatepass"))
        if counts[0] % BATCH == 0:
            progress(shape.name, "verify", counts[0], total)
    progress(shape.name, "verify", total, total)
    if counts[0] != counts[1] or digests[0].digest() != digests[1].digest():
        raise CopyError(f"{shape.name} differs after the copy: is something writing to the target?")
    return shape.name, counts[0], digests[0].hexdigest()


def _count(shape: _Shape, source: sqlite3.Connection) -> int:
    return int(source.execute(f'SELECT count(*) FROM "{shape.name}"').fetchone()[0])  # noqa: S608


async def _wind_counter(shape: _Shape, source: sqlite3.Connection, writer: Any) -> None:
    """Advance the sequence, so that no number is given twice, not even that of a deleted row."""
    for key in shape.key_columns:
        sequence = await writer.fetchval("SELECT pg_get_serial_sequence($1, $2)", shape.name, key)
        if sequence is None:
            continue
        highest = source.execute(f'SELECT max("{key}") FROM "{shape.name}"').fetchone()[0] or 0  # noqa: S608
        ever = source.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (shape.name,)).fetchone()
        if highest := max(highest, ever[0] if ever else 0):
            await writer.execute("SELECT setval($1::text::regclass, $2::bigint)", sequence, highest)
