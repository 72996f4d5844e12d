"""Use SQLite: statements on the event loop, one commit for many transactions, and a thread that waits for the disk.

A statement takes some 10 us, less than a thread hop, so reads and writes run on the event loop. WAL lets readers pass
the writer. Only two waits leave the loop: a commit for the disk (synchronous=FULL: what was acknowledged survives a
power cut), and a transaction for another process's lock. All transactions that arrive during a commit share the next
one. Inside the batch each transaction is a savepoint: one that fails does not undo the others. (Decision 0022.)
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from menshen.adapters.storage.changes import Changes
from menshen.adapters.storage.sql.engines.patience import USUAL, Patience
from menshen.adapters.storage.sql.engines.transactions import AllStatements, SqlTx
from menshen.adapters.storage.sql.repositories.executor import TakenError
from menshen.adapters.storage.sql.statements.reader import Statement
from menshen.core.problems import Problem, ProblemCode
from menshen.ports.sealing import Sealer
from menshen.ports.store.store import WriteTx

T = TypeVar("T")
MOST_IN_BATCH = 256
MOST_WAITING = 10_000
LOOP_SECONDS = 0.002
"""So long a batch may hold the event loop before others get their turn."""


def connect(
    path: Path | str, patience: Patience = USUAL, *, read_only: bool = False, busy_seconds: float | None = None
) -> sqlite3.Connection:
    """Open a connection with every pragma the promises rest on; usable from any one thread at a time.

    Its statements wait `busy_seconds` for another process's lock, `patience.busy` where that is None.
    """
    timeout = patience.busy if busy_seconds is None else busy_seconds
    made = sqlite3.connect(str(path), timeout=timeout, isolation_level=None, check_same_thread=False)
    _use_wal(made, patience.busy)
    for pragma in (
        "synchronous=FULL",
        "foreign_keys=ON",
        "trusted_schema=OFF",
        "cache_size=-4000",
    ):
        made.execute(f"PRAGMA {pragma}")
    if read_only:
        made.execute("PRAGMA query_only=ON")
    return made


def _use_wal(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """Wait for the lock that a new file's change to WAL takes.

    SQLite gives up at once when another process is writing, for any busy time-out. When several nodes start together
    without a file, all but one of them would end.
    """
    give_up = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(0.01)
        else:
            return


class _Run:
    """Implement `Executor` on a connection, with coroutines that never suspend."""

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
        """Do nothing: there is one writer, and the running transaction has every claim."""


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


@dataclass(slots=True, eq=False)
class _Job:
    work: Callable[[WriteTx], Awaitable[Any]]
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class SqliteStore:
    """Implement `menshen.ports.store.store.Store` on one file, for one event loop at a time."""

    def __init__(self, path: Path, sealer: Sealer, patience: Patience = USUAL) -> None:
        """Open `path`, which the migrations have prepared."""
        statements = AllStatements("sqlite")
        self._path = path
        self._patience = patience
        self._reader = connect(path, patience, read_only=True, busy_seconds=1.0)
        self._read = SqlTx(_Run(self._reader), statements, sealer)
        # There is no busy time-out: the disk's thread waits for another process.
        self._writer = connect(path, patience, busy_seconds=0)
        self._tx = SqlTx(_Run(self._writer), statements, sealer)
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="sqlite-disk")
        self._waiting: deque[_Job] = deque()
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self.on_commit: Callable[[Changes], None] = lambda _: None

    @property
    def connections(self) -> None:
        """Return None: there is no pool."""

    @property
    def read(self) -> SqlTx:
        """Read on the caller's own thread."""
        return self._read

    async def write(self, work: Callable[[WriteTx], Awaitable[T]]) -> T:
        if self._closed:
            raise Problem(ProblemCode.UNAVAILABLE, "store closed")
        if len(self._waiting) > MOST_WAITING:
            raise Problem(ProblemCode.OVERLOADED, "write queue full", 1)
        loop = asyncio.get_running_loop()
        job = _Job(work, loop.create_future())
        self._waiting.append(job)
        if self._task is None or self._task.done():
            # It starts after what else is ready now, which may bring more for the same commit.
            self._task = loop.create_task(self._write_what_waits(), name="sqlite-writes")
        # The transaction happens even when the caller goes away: its outcome must not depend on a client's patience.
        return cast("T", await asyncio.shield(job.future))

    async def data_version(self) -> int:
        """Return a number that changes when another process has committed, but not when this one has."""

        async def ask(tx: WriteTx) -> int:
            # The writing connection is the one that knows its own commits from others'.
            return int(self._writer.execute("PRAGMA data_version").fetchone()[0])

        return await self.write(ask)

    async def ready(self) -> bool:
        async def probe(tx: WriteTx) -> None:
            # SQLite leaves out a write that changes nothing: the mark has to move to prove that it can.
            mark = self._writer.execute("PRAGMA user_version").fetchone()[0]
            self._writer.execute(f"PRAGMA user_version = {(mark + 1) % 2**31}")

        try:
            await asyncio.wait_for(self.write(probe), self._patience.probe)
        except (Problem, TimeoutError, sqlite3.Error):
            return False
        return os.path.exists(self._path)  # noqa: ASYNC240, PTH110 - one stat of a local file

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            if self._task is not None:
                await asyncio.gather(self._task, return_exceptions=True)
            await asyncio.to_thread(self._disk.shutdown)
            self._reader.close()
            self._writer.close()

    # --- the batches --------------------------------------------------------------------------------------------------

    async def _write_what_waits(self) -> None:
        while self._waiting:
            batch: list[_Job] = []
            try:
                await self._begin()
                await self._run_jobs(batch)
                await self._on_disk(self._execute, "COMMIT")
            except BaseException as error:
                self._abandon(batch, error)
                # Anything but a fault of the batch ends this task too: the next write starts another.
                if not isinstance(error, Exception):
                    raise
            finally:
                if self._tx.changes:
                    self.on_commit(self._tx.changes.take())
                for job in batch:
                    _settle(job)

    async def _begin(self) -> None:
        """Start the one write transaction; waiting for another process's to end is done off the loop."""
        try:
            self._execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            await self._on_disk(self._begin_patiently)

    def _begin_patiently(self) -> None:
        self._execute(f"PRAGMA busy_timeout={round(self._patience.busy * 1000)}")
        try:
            self._execute("BEGIN IMMEDIATE")
        finally:
            self._execute("PRAGMA busy_timeout=0")

    async def _run_jobs(self, batch: list[_Job]) -> None:
        """Run what waits, each in a savepoint of its own; reads of others get their turn in between."""
        rest_at = time.monotonic() + LOOP_SECONDS
        while self._waiting and len(batch) < MOST_IN_BATCH:
            job = self._waiting.popleft()
            batch.append(job)
            self._execute("SAVEPOINT job")
            try:
                job.result = _drive(job.work(cast("WriteTx", self._tx)))
            except BaseException as error:  # noqa: BLE001 - it belongs to the caller who waits for this job
                job.error = error
                self._execute("ROLLBACK TO job")
            self._execute("RELEASE job")
            if time.monotonic() > rest_at:
                await asyncio.sleep(0)
                rest_at = time.monotonic() + LOOP_SECONDS

    def _execute(self, text: str) -> None:
        self._writer.execute(text)

    async def _on_disk(self, wait: Callable[..., None], *args: str) -> None:
        under_way = asyncio.get_running_loop().run_in_executor(self._disk, wait, *args)
        try:
            await asyncio.shield(under_way)
        except asyncio.CancelledError:
            # The thread owns the connection until it returns it, even when a caller is cancelled.
            await asyncio.wait([under_way])
            raise

    def _abandon(self, batch: list[_Job], error: BaseException) -> None:
        """Undo the whole batch. When not even a transaction could begin, fail all waiting jobs, too."""
        if self._writer.in_transaction:
            self._execute("ROLLBACK")
        if not batch:
            batch += self._waiting
            self._waiting.clear()
        failure = _translated(error) if isinstance(error, sqlite3.Error) else error
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


def _settle(job: _Job) -> None:
    if job.future.cancelled():
        return
    if job.error is not None:
        job.future.set_exception(job.error)
        job.future.exception()  # retrieved: a caller that went away is no fault to report
    else:
        job.future.set_result(job.result)
