"""PostgreSQL through asyncpg: a pool, one transaction to a write, bounded retries after conflicts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

import asyncpg

from menshen.core.problems import Problem, ProblemCode
from menshen.ports.sealing import Sealer
from menshen.ports.store import WriteTx
from menshen.storage.sql.compiling import Statement, TakenError, for_postgres
from menshen.storage.sql.transactions import Prepared, SqlTx

T = TypeVar("T")
ACQUIRE_SECONDS = 3.0
STATEMENT_SECONDS = 10.0
TRIES = 4
_RETRY = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
_DOWN = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.QueryCanceledError,
    asyncpg.DiskFullError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.LockNotAvailableError,
    OSError,
    TimeoutError,
    asyncio.TimeoutError,
)


class _Run:
    """`Executor` on a connection or a whole pool."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def one(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Any] | None:
        row = await self._connection.fetchrow(statement.text, *statement.arguments(values))
        return tuple(row) if row is not None else None

    async def all(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        return [tuple(row) for row in await self._connection.fetch(statement.text, *statement.arguments(values))]

    async def run(self, statement: Statement, values: Mapping[str, Any]) -> int:
        try:
            status: str = await self._connection.execute(statement.text, *statement.arguments(values))
        except asyncpg.UniqueViolationError as error:
            raise TakenError(error.constraint_name or "") from error
        return int(status.rpartition(" ")[2] or 0) if status[-1:].isdigit() else 0

    async def claim(self, key: bytes) -> None:
        await self._connection.execute("SELECT pg_advisory_xact_lock($1)", int.from_bytes(key[:8], signed=True))


class _ReadRun(_Run):
    """Reads on whatever connection is free, with the driver's failures in our words."""

    async def one(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Any] | None:
        try:
            return await super().one(statement, values)
        except _DOWN as error:
            raise _unavailable(error) from error

    async def all(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        try:
            return await super().all(statement, values)
        except _DOWN as error:
            raise _unavailable(error) from error


def _unavailable(error: BaseException) -> Problem:
    return Problem(ProblemCode.UNAVAILABLE, f"postgresql: {type(error).__name__}", 1)


class PostgresStore:
    """`menshen.ports.store.Store` on a database whose migrations have run."""

    def __init__(self, pool: asyncpg.Pool[Any], sealer: Sealer) -> None:
        """Use `open_postgres`."""
        self._pool = pool
        self._prepared = Prepared(for_postgres(), sealer)
        self._read = SqlTx(_ReadRun(pool), self._prepared)

    @property
    def read(self) -> SqlTx:
        """Reads, each on a connection of the pool."""
        return self._read

    async def write(self, work: Callable[[WriteTx], Awaitable[T]]) -> T:
        return await asyncio.shield(asyncio.ensure_future(self._write(work)))

    async def _write(self, work: Callable[[WriteTx], Awaitable[T]]) -> T:
        for last in range(TRIES - 1, -1, -1):
            try:
                async with self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection, connection.transaction():
                    return await work(cast("WriteTx", SqlTx(_Run(connection), self._prepared)))
            except _RETRY as error:
                if not last:
                    raise _unavailable(error) from error
            except _DOWN as error:
                raise _unavailable(error) from error
        raise Problem(ProblemCode.UNAVAILABLE)

    async def ready(self) -> bool:
        try:
            async with self._pool.acquire(timeout=2) as connection:
                await connection.execute("UPDATE installation SET epoch = epoch WHERE id = 1", timeout=2)
        except (*_DOWN, asyncpg.PostgresError):
            return False
        return True

    async def close(self) -> None:
        try:
            await asyncio.wait_for(self._pool.close(), 5)
        except TimeoutError:
            self._pool.terminate()


async def open_postgres(url: str, sealer: Sealer, *, pool_size: int = 10) -> PostgresStore:
    """Connect to `url` (postgresql://…).

    Raises:
        Problem: UNAVAILABLE, when it cannot be reached.
    """
    try:
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=pool_size,
            command_timeout=STATEMENT_SECONDS,
            timeout=ACQUIRE_SECONDS,
            server_settings={
                "application_name": "menshen",
                "statement_timeout": str(int(STATEMENT_SECONDS * 1000)),
                "lock_timeout": "5000",
                "idle_in_transaction_session_timeout": "15000",
                # Acknowledged means on disk, whatever the server's default.
                "synchronous_commit": "on",
            },
        )
    except (*_DOWN, asyncpg.PostgresError) as error:
        raise _unavailable(error) from error
    return PostgresStore(pool, sealer)
