"""SQLite: reads where they are asked, writes on one thread that commits many transactions at once.

A read by key takes 11 us, less than a thread hop, so it runs on the event loop; WAL lets it pass any
writer. Writes wait for the disk (synchronous=FULL: what was acknowledged survives a power cut), so they
have a thread of their own, and every transaction that arrived while it was waiting shares the next
commit. Inside the batch each is a savepoint: one that fails takes nothing of the others with it.
"""

from __future__ import annotations

import asyncio
import os
import queue
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from menshen.core.problems import Problem, ProblemCode
from menshen.ports.sealing import Sealer
from menshen.ports.store import WriteTx
from menshen.storage.sql.compiling import Statement, TakenError, for_sqlite
from menshen.storage.sql.transactions import Prepared, SqlTx

T = TypeVar("T")
BUSY_SECONDS = 5.0
MOST_IN_BATCH = 256
MOST_WAITING = 10_000


def connect(path: Path | str, *, read_only: bool = False, busy_seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    """A connection with every pragma the promises rest on; usable from any one thread at a time."""
    made = sqlite3.connect(str(path), timeout=busy_seconds, isolation_level=None, check_same_thread=False)
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "trusted_schema=OFF",
        "cache_size=-16000",
    ):
        made.execute(f"PRAGMA {pragma}")
    if read_only:
        made.execute("PRAGMA query_only=ON")
    return made


class _Run:
    """`Executor` on a connection: coroutines that never suspend."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute

    async def one(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Any] | None:
        try:
            # Fetching all ends the statement: a RETURNING that is not read to its end has not happened yet.
            rows = self._execute(statement.text, statement.arguments(values)).fetchall()
        except sqlite3.Error as error:
            raise _translated(error) from error
        return rows[0] if rows else None

    async def all(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        try:
            return self._execute(statement.text, statement.arguments(values)).fetchall()
        except sqlite3.Error as error:
            raise _translated(error) from error

    async def run(self, statement: Statement, values: Mapping[str, Any]) -> int:
        try:
            return self._execute(statement.text, statement.arguments(values)).rowcount
        except sqlite3.Error as error:
            raise _translated(error) from error

    async def many(self, statement: Statement, values: Sequence[Mapping[str, Any]]) -> Sequence[Sequence[Any]]:
        rows: list[Sequence[Any]] = []
        try:
            for one in values:
                rows += self._execute(statement.text, statement.arguments(one)).fetchall()
        except sqlite3.Error as error:
            raise _translated(error) from error
        return rows

    async def claim(self, key: bytes) -> None:
        """There is one writer: whoever runs has every claim."""


def _translated(error: sqlite3.Error) -> Exception:
    if isinstance(error, sqlite3.IntegrityError):
        return TakenError(str(error))
    if isinstance(error, sqlite3.OperationalError | sqlite3.DatabaseError) and not isinstance(
        error, sqlite3.ProgrammingError
    ):
        return Problem(ProblemCode.UNAVAILABLE, f"sqlite: {error.sqlite_errorname}" if _named(error) else "sqlite", 1)
    return error


def _named(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorname", None) is not None


@dataclass(slots=True)
class _Job:
    work: Callable[[WriteTx], Awaitable[Any]]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class SqliteStore:
    """`menshen.ports.store.Store` on one file."""

    def __init__(self, path: Path, sealer: Sealer) -> None:
        """Open `path`, which the migrations have prepared."""
        prepared = Prepared(for_sqlite(), sealer)
        self._path = path
        self._reader = connect(path, read_only=True, busy_seconds=1.0)
        self._read = SqlTx(_Run(self._reader), prepared)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._writer = connect(path)
        self._tx = SqlTx(_Run(self._writer), prepared)
        self._thread = threading.Thread(target=self._write_forever, name="sqlite-writer", daemon=True)
        self._thread.start()
        self._closed = False

    @property
    def read(self) -> SqlTx:
        """Reads on the caller's own thread."""
        return self._read

    async def write(self, work: Callable[[WriteTx], Awaitable[T]]) -> T:
        if self._closed:
            raise Problem(ProblemCode.UNAVAILABLE, "store closed")
        if self._jobs.qsize() > MOST_WAITING:
            raise Problem(ProblemCode.OVERLOADED, "write queue full", 1)
        loop = asyncio.get_running_loop()
        job = _Job(work, loop, loop.create_future())
        self._jobs.put(job)
        # The transaction happens even when the caller goes away: its outcome must not depend on a client's patience.
        return cast("T", await asyncio.shield(job.future))

    async def data_version(self) -> int:
        """A number that moves when another process has committed, and stays where it is when this one has."""

        async def ask(tx: WriteTx) -> int:
            # The writing connection is the one that knows its own commits from others'.
            return int(self._writer.execute("PRAGMA data_version").fetchone()[0])

        return await self.write(ask)

    async def ready(self) -> bool:
        async def probe(tx: WriteTx) -> None:
            self._writer.execute("UPDATE installation SET epoch = epoch WHERE id = 1")

        try:
            await asyncio.wait_for(self.write(probe), 2)
        except (Problem, TimeoutError, sqlite3.Error):
            return False
        return os.path.exists(self._path)  # noqa: ASYNC240, PTH110 - one stat of a local file

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
            await asyncio.to_thread(self._thread.join)
            self._reader.close()
            self._writer.close()

    # --- the writer's thread ------------------------------------------------------------------------------------------

    def _write_forever(self) -> None:
        while True:
            job = self._jobs.get()
            batch: list[_Job] = []
            while job is not None:
                batch.append(job)
                if len(batch) >= MOST_IN_BATCH:
                    break
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    break
            if batch:
                self._commit(batch)
                _deliver(batch)
            if job is None:
                return

    def _commit(self, batch: list[_Job]) -> None:
        execute = self._writer.execute
        try:
            execute("BEGIN IMMEDIATE")
            for job in batch:
                execute("SAVEPOINT job")
                try:
                    job.result = _drive(job.work(cast("WriteTx", self._tx)))
                except BaseException as error:  # noqa: BLE001 - it belongs to the caller who waits for this job
                    job.error = error
                    execute("ROLLBACK TO job")
                execute("RELEASE job")
            execute("COMMIT")
        except sqlite3.Error as error:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            failure = _translated(error)
            for job in batch:
                job.error = job.error or failure


def _drive(work: Awaitable[Any]) -> Any:
    coroutine = cast("Coroutine[Any, Any, Any]", work)
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    coroutine.close()
    raise RuntimeError("work in a write transaction awaited something that is not its transaction's")


def _deliver(batch: list[_Job]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
    for job in batch:
        by_loop.setdefault(job.loop, []).append(job)
    for loop, jobs in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, jobs)
        except RuntimeError:  # the loop has closed: nobody waits any more
            continue


def _settle(jobs: list[_Job]) -> None:
    for job in jobs:
        if job.future.cancelled():
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
            job.future.exception()  # retrieved: a caller that went away is no fault to report
        else:
            job.future.set_result(job.result)
