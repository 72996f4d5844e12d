"""Use PostgreSQL through asyncpg: one transaction for a write, bounded retries after conflicts and lost connections.

A write is repeated only when the first try has certainly not happened: after a conflict, or when the connection was
lost before COMMIT was sent. When it is lost during COMMIT, the result is unknown: the caller gets 503 and asks again.
(docs/contracts/core.md section 3.3, docs/operate/reliability.md F3 to F6.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar, cast

import asyncpg

from menshen.adapters.storage.changes import Changes
from menshen.adapters.storage.sql.engines.connections import LOST, REFUSED, STALE, Connections, unavailable
from menshen.adapters.storage.sql.engines.patience import USUAL, Patience
from menshen.adapters.storage.sql.engines.transactions import AllStatements, SqlTx
from menshen.adapters.storage.sql.repositories.executor import TakenError
from menshen.adapters.storage.sql.statements.reader import Statement
from menshen.core.problems import Problem, ProblemCode
from menshen.ports.sealing import Sealer
from menshen.ports.store.store import WriteTx

T = TypeVar("T")
TRIES: Final = 8
LOST_TRIES: Final = 2
_FIRST_WAIT: Final = 0.004
_READY_SECONDS: Final = 1.0

_CONFLICT = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)


class _Run:
    """Implement `Executor` on one connection."""

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

    async def many(self, statement: Statement, values: Sequence[Mapping[str, Any]]) -> Sequence[Sequence[Any]]:
        # One round trip carries many runs.
        arguments = [statement.arguments(one) for one in values]
        try:
            return [tuple(row) for row in await self._connection.fetchmany(statement.text, arguments)]
        except asyncpg.UniqueViolationError as error:
            raise TakenError(error.constraint_name or "") from error

    async def frame(self, text: str) -> None:
        """Begin or end a transaction."""
        await self._connection.execute(text)

    async def claim(self, key: bytes) -> None:
        await self._connection.execute("SELECT pg_advisory_xact_lock($1)", int.from_bytes(key[:8], signed=True))


class _ReadRun:
    """Read on any free connection. A read that lost its connection is asked once more on another."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def one(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Any] | None:
        return await self._on_any(lambda run: run.one(statement, values))

    async def all(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        return await self._on_any(lambda run: run.all(statement, values))

    async def run(self, statement: Statement, values: Mapping[str, Any]) -> int:
        raise RuntimeError("reads do not change")

    async def many(self, statement: Statement, values: Sequence[Mapping[str, Any]]) -> Sequence[Sequence[Any]]:
        return await self._on_any(lambda run: run.many(statement, values))

    async def claim(self, key: bytes) -> None:
        """Do nothing: a read keeps no other transaction waiting."""

    async def _on_any(self, ask: Callable[[_Run], Awaitable[T]]) -> T:
        for left in range(LOST_TRIES - 1, -1, -1):
            connection = await self._connections.acquire()
            sound = False
            try:
                answer = await ask(_Run(connection))
                sound = True
                return answer
            except LOST as error:
                if isinstance(error, TimeoutError):
                    self._connections.lost(error)
                if isinstance(error, TimeoutError) or not left:
                    raise unavailable(error) from error
            except asyncpg.DataError:
                sound = True
                raise
            except REFUSED as error:
                sound = not isinstance(error, STALE)
                raise unavailable(error) from error
            except _CONFLICT as error:
                sound = True
                if not left:
                    raise unavailable(error) from error
            except asyncpg.InterfaceError as error:
                if not left:
                    raise unavailable(error) from error
            except asyncpg.PostgresError:
                sound = True
                raise
            finally:
                self._connections.release(connection, sound=sound)
        raise unavailable("no answer")


class _PooledReadRun(_ReadRun):
    """Read through a pooler: each read is a transaction, which brings the settings and holds its connection."""

    async def _on_any(self, ask: Callable[[_Run], Awaitable[T]]) -> T:
        async def framed_ask(run: _Run) -> T:
            await run.frame(self._connections.frame)
            try:
                answer = await ask(run)
            except (asyncpg.PostgresError, asyncpg.DataError):
                await run.frame("ROLLBACK")
                raise
            await run.frame("COMMIT")
            return answer

        return await super()._on_any(framed_ask)


class PostgresStore:
    """Implement `menshen.ports.store.store.Store` on a database whose migrations have run."""

    def __init__(self, connections: Connections, sealer: Sealer, patience: Patience = USUAL) -> None:
        """Use `open_postgres`."""
        self.connections = connections
        self.on_commit: Callable[[Changes], None] = lambda _: None
        self._patience = patience
        self._statements = AllStatements("postgresql")
        self._sealer = sealer
        self._read = SqlTx(cast("_Run", _ReadRun(connections)), self._statements, sealer)
        self._pooled_read = SqlTx(cast("_Run", _PooledReadRun(connections)), self._statements, sealer)
        self._txs: dict[Any, SqlTx] = {}
        self._ready_at = -_READY_SECONDS
        self._ready = False

    @property
    def read(self) -> SqlTx:
        """Run reads, each on a connection of its own."""
        return self._pooled_read if self.connections.pooled else self._read

    async def write(self, work: Callable[[WriteTx], Awaitable[T]]) -> T:
        # It goes on when the caller goes away: its outcome must not depend on a client's patience.
        return await asyncio.shield(asyncio.ensure_future(self._write(work)))

    async def _write(self, work: Callable[[WriteTx], Awaitable[T]]) -> T:
        lost = 0
        failure: BaseException | None = None
        for turn in range(TRIES):
            connection = await self.connections.acquire()
            tx = self._tx_of(connection)
            frame = self.connections.frame if self.connections.pooled else "BEGIN"
            attempt = _Attempt(connection, cast("WriteTx", tx), frame)
            try:
                async with asyncio.timeout(self._patience.transaction):
                    return await attempt.run(work)
            except _CONFLICT as error:
                failure = error
            except LOST as error:
                failure, lost = error, lost + 1
                if isinstance(error, TimeoutError):
                    self.connections.lost(error)
                if attempt.committing or isinstance(error, TimeoutError) or lost >= LOST_TRIES:
                    raise unavailable(error) from error
            except asyncpg.DataError:
                raise
            except REFUSED as error:
                attempt.sound = attempt.sound and not isinstance(error, STALE)
                raise unavailable(error) from error
            except asyncpg.InterfaceError as error:
                failure, lost = error, lost + 1
                if attempt.committing or lost >= LOST_TRIES:
                    raise unavailable(error) from error
            finally:
                if tx.changes:
                    self.on_commit(tx.changes.take())
                self.connections.release(connection, sound=attempt.sound)
            # Those that clashed must not meet again: the later born the longer it waits.
            await asyncio.sleep(_FIRST_WAIT * 2 ** min(turn, 5) * (1 + id(attempt) // 64 % 8 / 8))
        raise unavailable(failure or "conflicts") from failure

    def _tx_of(self, connection: Any) -> SqlTx:
        """Return the repositories of a connection, made once: a login has two transactions of eight of them."""
        tx = self._txs.get(connection)
        if tx is None:
            self._txs = {known: its for known, its in self._txs.items() if not known.is_closed()}
            tx = self._txs[connection] = SqlTx(_Run(connection), self._statements, self._sealer)
        return tx

    async def ready(self) -> bool:
        """Ask the database at most once a second, for any number of callers."""
        now = asyncio.get_running_loop().time()
        if now - self._ready_at >= _READY_SECONDS:
            self._ready_at, self._ready = now, await self._takes_writes()
        return self._ready

    async def _takes_writes(self) -> bool:
        try:
            connection = await self.connections.acquire()
        except Problem:
            return False
        sound = False
        try:
            await connection.execute("UPDATE installation SET epoch = epoch WHERE id = 1", timeout=self._patience.probe)
            sound = True
        except LOST as error:
            self.connections.lost(error)
            return False
        except (asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        finally:
            self.connections.release(connection, sound=sound)
        return True

    async def close(self) -> None:
        await self.connections.close()


class _Attempt:
    """Record one try of a transaction. `committing`: COMMIT was sent. `sound`: the connection can be used again."""

    def __init__(self, connection: Any, tx: WriteTx, frame: str) -> None:
        self._connection = connection
        self._tx = tx
        self._frame = frame
        self.committing = False
        self.sound = False

    async def run(self, work: Callable[[WriteTx], Awaitable[T]]) -> T:
        await self._connection.execute(self._frame)
        try:
            result = await work(self._tx)
        except (*LOST, asyncio.CancelledError):
            raise
        except BaseException:
            await self._roll_back()
            raise
        self.committing = True
        try:
            status = await self._connection.execute("COMMIT")
        except (*_CONFLICT, asyncpg.IntegrityConstraintViolationError):
            # Judged at its end and refused: it has not happened.
            self.committing = False
            self.sound = True
            raise
        self.sound = True
        if status != "COMMIT":
            # A statement failed and the work went on: PostgreSQL has rolled everything back.
            raise Problem(ProblemCode.INTERNAL, "work went on in a failed transaction")
        return result

    async def _roll_back(self) -> None:
        try:
            await self._connection.execute("ROLLBACK")
            self.sound = True
        except (*LOST, asyncpg.PostgresError, asyncpg.InterfaceError):
            self.sound = False


async def open_postgres(url: str, sealer: Sealer, *, pool_size: int = 10, patience: Patience = USUAL) -> PostgresStore:
    """Connect to `url` (postgresql://…), straight or through a pooler.

    Raises:
        UnfitError: an operator has to change something before it can be used.
        Problem: UNAVAILABLE, when it cannot be reached.
    """
    connections = Connections(url, pool_size, patience)
    connections.release(await connections.acquire())
    return PostgresStore(connections, sealer, patience)
