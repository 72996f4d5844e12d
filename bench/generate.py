"""Write millions of accounts and sessions without the flows, in the product's own schema and digests.

All values follow from an account's number and a session's index, so that a client needs no database to act for any of
them. Each account has `SESSIONS` sessions: number 0 is CareyShop's with a refresh token, the others are
weidu's.
"""

import asyncio
import hashlib
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from menshen.app.settings.reader import Settings
from menshen.core.time import DAY
from menshen.core.tokens import base32, digest

SESSIONS = 5
PASSWORD = "Bench-Pass-71"
LOT = 20_000
_ACCOUNT = ("number", "public_id", "username", "username_shown", "phone", "phone_verified", "roles", "password_hash",
            "created_at", "updated_at")  # fmt: skip
_SESSION = ("session_id", "token_digest", "refresh_digest", "account_number", "app_id", "dialect", "platform", "slot",
            "device_id", "created_at", "seen_at", "proved_at", "expires_at", "ends_at", "sliding_ms",
            "refresh_expires_at", "epoch")  # fmt: skip


def _bytes(kind: str, number: int) -> bytes:
    return hashlib.blake2b(f"{kind}{number}".encode(), digest_size=16).digest()


def username(account: int) -> str:
    return f"bench_{account:08}"


def phone(account: int) -> str:
    """Return a phone without the country's prefix, as people type it."""
    return f"138{account:08}"


def public_id(account: int) -> str:
    return base32(_bytes("account", account))


def device(account: int, index: int) -> str:
    return f"device-{account}-{index}"


def token(account: int, index: int) -> str:
    raw = _bytes("token", account * SESSIONS + index)
    return base32(raw) if index else raw.hex()


def refresh_token(account: int) -> str:
    return _bytes("refresh", account).hex()


def _accounts(count: int, password_hash: str, now: int) -> Iterator[tuple[Any, ...]]:
    for n in range(1, count + 1):
        name = username(n)
        yield (n, public_id(n), name, name, f"+86{phone(n)}", 1, "general_user", password_hash, now, now)


def _sessions(count: int, app_id: int, now: int) -> Iterator[tuple[Any, ...]]:
    for n in range(1, count + 1):
        session_id = base32(_bytes("session", n * SESSIONS))
        yield (session_id, digest(token(n, 0)), digest(refresh_token(n)), n, app_id, "careyshop", "app",
               "platform:app", "", now, now, now, now + 30 * DAY, now + 30 * DAY, 0, now + 31 * DAY, 1)  # fmt: skip
        for index in range(1, SESSIONS):
            session_id, name = base32(_bytes("session", n * SESSIONS + index)), device(n, index)
            yield (session_id, digest(token(n, index)), None, n, app_id, "weidu", "weidu", f"device:{name}", name,
                   now, now, now, now + 30 * DAY, now + 180 * DAY, 30 * DAY, 0, 1)  # fmt: skip


def fill(settings: Settings, accounts: int, *, app_id: int, password_hash: str, now: int) -> None:
    """Put `accounts` accounts (numbers from 1) and their sessions into an empty, migrated database without users."""
    tables = (
        ("accounts", _ACCOUNT, _accounts(accounts, password_hash, now), accounts),
        ("sessions", _SESSION, _sessions(accounts, app_id, now), accounts * SESSIONS),
    )
    if (path := settings.sqlite_path) is not None:
        _fill_sqlite(path, tables)
    else:
        asyncio.run(_fill_postgres(settings.storage.url, tables))


def _fill_sqlite(path: Path, tables: Any) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    # The file is not read before it is complete, so a write-ahead log and its syncs would only double the work.
    for pragma in ("synchronous=OFF", "cache_size=-1000000"):
        connection.execute(f"PRAGMA {pragma}")
    for table, columns, rows, count in tables:
        insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        for lot in _lots(table, rows, count):
            connection.execute("BEGIN")
            connection.executemany(insert, lot)
            connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("PRAGMA optimize")
    connection.close()


async def _fill_postgres(url: str, tables: Any) -> None:
    import asyncpg

    connection = await asyncpg.connect(url)
    for table, columns, rows, count in tables:
        for lot in _lots(table, rows, count):
            await connection.copy_records_to_table(table, records=lot, columns=columns)
    await connection.execute("SELECT setval(pg_get_serial_sequence('accounts', 'number'), max(number)) FROM accounts")
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


def _lots(name: str, rows: Iterator[tuple[Any, ...]], count: int) -> Iterator[list[tuple[Any, ...]]]:
    show, done = progress(name, count), 0
    while lot := [row for _, row in zip(range(LOT), rows, strict=False)]:
        yield lot
        done += len(lot)
        show(done)


def progress(name: str, count: int) -> Callable[[int], None]:
    """Show a bar on a terminal, for large amounts only."""
    start = time.monotonic()

    def show(done: int) -> None:
        if not sys.stderr.isatty() or count < LOT * 5:
            return
        left = (time.monotonic() - start) / done * (count - done)
        bar = "█" * (30 * done // count)
        end = "\n" if done >= count else ""
        print(f"\r  {name:<10} {bar:<30} {done:>9,} of {count:,}  {left:4.0f} s left ", end=end, file=sys.stderr)

    return show
