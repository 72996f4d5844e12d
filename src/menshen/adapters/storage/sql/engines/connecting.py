"""Open connections to PostgreSQL, straight or through a pooler, with every setting that the promises rest on.

Straight: the settings go along when the connection begins, and one question shows that they are in force and that the
one who answers is the server itself. A pooler invents the key that a connection is cancelled by, so the number of the
process in that key is not the server's own.

Through a pooler: no setting goes along, because it would be refused or forgotten. Each transaction begins with them
(SET LOCAL), in the message that begins it. Reads are transactions too, and no statement has a name: between two
transactions the pooler may hand the server's connection to another client. This is right for a pooler in session mode
and in transaction mode. (Decision 0061.)
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

import asyncpg

from menshen.adapters.storage.sql.engines.address import Address, AddressError, read_address
from menshen.adapters.storage.sql.engines.faults import away, fault_of
from menshen.adapters.storage.sql.engines.patience import USUAL, Patience
from menshen.core.problems import Problem
from menshen.ports.store.unfit import UnfitError

FAILURES: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    ValueError,
)
"""What the driver raises."""

_NAMED_STATEMENTS: Final = 400


class Connected(NamedTuple):
    """Hold a connection of the driver. `pooled`: each use of it must be a transaction that `frame_of` begins."""

    connection: Any
    pooled: bool


def address_of(url: str) -> Address:
    """Return the address that `url` spells. Raises UnfitError."""
    try:
        return read_address(url)
    except AddressError as error:
        raise UnfitError(f"[storage] url {error}") from None


def frame_of(patience: Patience) -> str:
    """Return the statements that begin a transaction behind a pooler, as one message."""
    local = "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in _in_transactions(patience).items())
    return f"BEGIN ISOLATION LEVEL READ COMMITTED; {local}"


def _in_transactions(patience: Patience) -> dict[str, str]:
    def milliseconds(seconds: float) -> str:
        return str(round(seconds * 1000))

    return {
        "statement_timeout": milliseconds(patience.statement),
        "lock_timeout": milliseconds(patience.lock),
        "idle_in_transaction_session_timeout": milliseconds(patience.idle_in_transaction),
        # Acknowledged means on disk, for any default of the server.
        "synchronous_commit": "on",
    }


def _at_beginning(patience: Patience) -> dict[str, str]:
    # Every statement sees what was committed before it: quotas are counted under a lock taken in the same
    # transaction, and an older snapshot would not show what the lock's last holder charged.
    return _in_transactions(patience) | {"default_transaction_isolation": "read committed"}


def _demand(patience: Patience, more: str = "true") -> str:
    """Return a statement that fails where a connection must not be used. It needs no answer to be read.

    It divides by zero where a setting is not in force or `more` is not true. On a standby it reads a word as a number:
    what is read there may be older than what was acknowledged.
    """
    wanted = [more, "current_setting('transaction_isolation') = 'read committed'"]
    for name, value in _in_transactions(patience).items():
        shown = f"current_setting('{name}')"
        wanted.append(
            f"{shown}::interval = interval '{value} ms'" if name.endswith("timeout") else f"{shown} = '{value}'"
        )
    standby = "(CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE '0' END)::int"
    return f"SELECT 1 / ({' AND '.join(wanted)})::int, {standby}"


async def connect(address: Address, patience: Patience = USUAL, *, pooled: bool = False) -> Connected:
    """Open one connection and prove that its settings are in force. `pooled` is known to be one through a pooler.

    Raises:
        UnfitError: the settings cannot be had.
        asyncpg's errors, OSError: those of `FAILURES`.
    """
    if not pooled and (straight := await _connect_straight(address, patience)):
        return Connected(straight, pooled=False)
    connection = await dial(address, patience.connect, patience.statement + 1)
    # In messages of their own: a pooler may let pass a transaction that is one message, and no longer one.
    if not await _obeys(connection, [frame_of(patience), _demand(patience), "COMMIT"], address):
        raise UnfitError(
            f"the settings of a transaction are not kept at {address}: the pooler there does not hold a connection "
            "for a whole transaction, and pool_mode must be transaction or session"
        )
    return Connected(connection, pooled=True)


async def _obeys(connection: Any, demands: Sequence[str], address: Address) -> bool:
    """Say whether what the statements `demands` demand is so. The connection is closed where it is not.

    Raises:
        Problem: UNAVAILABLE, a standby answers.
    """
    try:
        for demand in demands:
            await connection.execute(demand)
    except asyncpg.DivisionByZeroError:
        connection.terminate()
        return False
    except asyncpg.InvalidTextRepresentationError:
        connection.terminate()
        raise away(f"{address} is a standby, which takes no writes") from None
    except BaseException:
        connection.terminate()
        raise
    return True


async def _connect_straight(address: Address, patience: Patience) -> Any:
    """Return a connection to the server itself, or None where a pooler answers."""
    try:
        connection = await dial(
            address, patience.connect, patience.statement + 1, _at_beginning(patience), named=_NAMED_STATEMENTS
        )
    except asyncpg.ProtocolViolationError as error:
        if "startup parameter" in str(error):
            return None
        raise
    itself = f"pg_backend_pid() = {connection.get_server_pid()}"
    return connection if await _obeys(connection, [_demand(patience, itself)], address) else None


async def dial(
    address: Address,
    seconds: float,
    command_seconds: float | None,
    settings: Mapping[str, str] | None = None,
    *,
    named: int = 0,
) -> Any:
    """Open a connection within `seconds` and give the server its `settings`. At most `named` statements keep a name.

    A statement may take `command_seconds`; None sets no end. The address may ask for another number of `seconds`.

    Raises:
        UnfitError: a file that the address names is missing.
        asyncpg's errors, OSError: those of `FAILURES`.
    """
    if missing := address.missing_file:
        raise UnfitError(f"{missing} ({address})")
    connection: Any = await asyncpg.connect(
        address.dsn,
        timeout=address.connect_seconds or seconds,
        command_timeout=command_seconds,
        statement_cache_size=named,
        # A statement that is prepared stays so: the plan for a key look-up does not age.
        max_cached_statement_lifetime=0,
        server_settings={**address.settings, **(settings or {})},
    )
    if address.socket_options:
        own = connection._transport.get_extra_info("socket")  # noqa: SLF001 - the driver takes no options of sockets
        for level, option, value in address.socket_options if own.family != socket.AF_UNIX else ():
            own.setsockopt(level, option, value)
    return connection


@asynccontextmanager
async def reach(url: str, patience: Patience, *, least: float = 0, command_seconds: float = 5) -> AsyncIterator[Any]:
    """Open a connection for work of one's own, and close it at the end. It may lead through a pooler.

    The connection is waited for `least` seconds at least. What the work meets becomes a sentence, too.

    Raises:
        UnfitError: an operator has to change something.
        Problem: UNAVAILABLE.
    """
    address = address_of(url)
    connection: Any = None
    seconds = max(patience.connect, least)
    try:
        connection = await dial(address, seconds, command_seconds)
        yield connection
    except Problem:
        raise
    except FAILURES as error:
        if connection is not None and isinstance(error, TimeoutError):
            raise away(f"{address} did not finish a statement within {command_seconds:g} s") from error
        raise fault_of(error, address, address.connect_seconds or seconds) from error
    finally:
        if connection is not None:
            connection.terminate()


@asynccontextmanager
async def framed(connection: Any, frame: str) -> AsyncIterator[None]:
    """Run what is asked inside of one transaction. After an error the connection must be thrown away."""
    await connection.execute(frame)
    yield
    await connection.execute("COMMIT")
