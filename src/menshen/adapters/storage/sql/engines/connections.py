"""Connect to PostgreSQL: a bounded set of connections, time-outs on everything, and a circuit breaker.

asyncpg's own pool asks the server to reset a connection after each use, a round trip that is not needed here. It also
lets callers wait without an end. Here a caller waits at most `Patience.acquire` for a connection. When the database
cannot be reached, or does not answer, all waiting callers fail at once. Then one caller at a time tries again, with
growing pauses: there is no queue for a database that is away.
It must not know what is asked of the database. (docs/operate/reliability.md F3, F5, F17.)
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Final

import asyncpg

from menshen.adapters.storage.sql.engines.connecting import address_of, connect, frame_of
from menshen.adapters.storage.sql.engines.faults import fault_of
from menshen.adapters.storage.sql.engines.patience import USUAL, Patience
from menshen.core.problems import Problem, ProblemCode

FIRST_PAUSE: Final = 0.05
LONGEST_PAUSE: Final = 1.0

LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
"""The connection is gone, or cannot be used again: nothing uncommitted has happened."""

REFUSED = (
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresSystemError,
    asyncpg.InternalServerError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
)
"""It is there and cannot do it now: no disk, no memory, read-only, a lock held too long, the wrong password."""

STALE = (asyncpg.ReadOnlySQLTransactionError,)
"""What a new connection may not say: it leads to a primary that was demoted, or to settings of yesterday."""


def unavailable(error: BaseException | str) -> Problem:
    """Return the error for callers. The log gets the kind of failure, because a driver's message could quote values."""
    told = str(error) if isinstance(error, str | Problem) else type(error).__name__
    return Problem(ProblemCode.UNAVAILABLE, f"postgresql: {told}", 1)


class Connections:
    """Hold at most `most` connections to `url`; the one used last is used next.

    `pooled`: they lead through a pooler, and every use must be a transaction that `frame` begins.
    """

    def __init__(self, url: str, most: int, patience: Patience = USUAL) -> None:
        """Prepare the set. The first use opens the first connection.

        Raises:
            UnfitError: `url` has no valid form.
        """
        self._address = address_of(url)
        self._patience = patience
        self.pooled = False
        self.frame = frame_of(patience)
        self._most = most
        self._size = 0
        self._idle: list[Any] = []
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._pause = 0.0
        self._away_until = 0.0
        self._probing = False
        self._closed = False
        self._returned = asyncio.Event()

    @property
    def in_use(self) -> int:
        """Return the number of connections in use, for the metrics."""
        return self._size - len(self._idle)

    @property
    def waiting(self) -> int:
        """Return the number of waiting callers, for the metrics."""
        return len(self._waiting)

    @property
    def most(self) -> int:
        """Return the maximum number of connections."""
        return self._most

    @property
    def away(self) -> bool:
        """Say whether the last attempt to reach the database failed."""
        return self._pause > 0

    async def acquire(self) -> Any:
        """Return a connection. The caller gives it back by `release`.

        Raises:
            Problem: UNAVAILABLE, at once while the database is known to be away.
        """
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
            self._size -= 1
        self._refuse()
        if self._size < self._most:
            self._size += 1
            return await self._open()
        return await self._wait()

    def release(self, connection: Any, *, sound: bool = True) -> None:
        """Take it back; with `sound` false it is thrown away without waiting for anything."""
        if not sound or self._closed or connection.is_closed():
            connection.terminate()
            self._shrink()
            return
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        self._idle.append(connection)
        self._returned.set()

    def lost(self, error: BaseException) -> None:
        """Tell that the database went away: its other connections are most likely dead too."""
        loop = asyncio.get_running_loop()
        self._pause = min(max(self._pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
        self._away_until = loop.time() + self._pause
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_exception(unavailable(error))
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.terminate()
        self._size -= len(idle)

    async def close(self, seconds: float = 5.0) -> None:
        """Wait for those in use, `seconds` at most, and close all."""
        self._closed = True
        deadline = asyncio.get_running_loop().time() + seconds
        while self.in_use > 0 and (left := deadline - asyncio.get_running_loop().time()) > 0:
            self._returned.clear()
            try:
                await asyncio.wait_for(self._returned.wait(), left)
            except TimeoutError:
                break
        idle, self._idle = self._idle, []
        self._size -= len(idle)
        for connection in idle:
            try:
                await connection.close(timeout=1)
            except (*LOST, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection.terminate()

    # --- inside -------------------------------------------------------------------------------------------------------

    def _refuse(self) -> None:
        if self._closed:
            raise unavailable("closed")
        if self._pause and (self._probing or asyncio.get_running_loop().time() < self._away_until):
            raise unavailable("away")

    async def _open(self) -> Any:
        """Connect, in a place that is counted already."""
        self._probing = self._pause > 0
        seconds = self._address.connect_seconds or self._patience.connect
        try:
            connection, pooled = await connect(self._address, self._patience, pooled=self.pooled)
        except (Problem, *LOST, *REFUSED, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
            self._shrink()
            fault = error if isinstance(error, Problem) else fault_of(error, self._address, seconds)
            self.lost(fault)
            raise fault from error
        except BaseException:
            self._shrink()
            raise
        finally:
            self._probing = False
        self._pause = 0.0
        # Once they lead through a pooler, straight ones that are left are used in the same way.
        self.pooled = self.pooled or pooled
        return connection

    async def _wait(self) -> Any:
        waiter: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(self._patience.acquire):
                connection = await waiter
        except TimeoutError as error:
            self._abandon(waiter)
            raise unavailable("no free connection") from error
        except asyncio.CancelledError:
            self._abandon(waiter)
            raise
        # None is leave to open one in the place of one that died.
        return await self._open() if connection is None else connection

    def _abandon(self, waiter: asyncio.Future[Any]) -> None:
        """Give on what a caller got in the very moment it gave up."""
        if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
            given = waiter.result()
            if given is None:
                self._shrink()
            else:
                self.release(given)
        elif waiter in self._waiting:
            self._waiting.remove(waiter)

    def _shrink(self) -> None:
        """Count one connection less: the next waiting caller may open another in its place."""
        while self._waiting and not self._closed:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._size -= 1
        self._returned.set()
