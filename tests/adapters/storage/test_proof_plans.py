"""Statements about proofs, and about what the pages of an account need, find their rows by an index."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from menshen.adapters.storage.sql.statements.reader import Database, Statement, files, read

TABLES = (
    "factors",
    "passkeys",
    "passkey_handles",
    "recovery_codes",
    "pending_logins",
    "trusted_devices",
    "spent_trusts",
    "agreements",
    "security_links",
    "export_tickets",
)
WHOLE = {
    # Asked when a server starts, and about every passkey there is.
    ("proofs/passkeys", "rp_ids"),
    # After a raise of the epoch. What lives for minutes, or comes of few acts, is a small table.
    ("upkeep", "clear_pending_logins"),
    ("upkeep", "clear_security_links"),
    ("upkeep", "clear_export_tickets"),
}
ROWS = 20_000
FILL = {
    "factors": "SELECT n, 'totp', '\\x01', n, 1, 1, '\\x02', CASE WHEN n % 50 = 0 THEN n ELSE 0 END",
    "passkeys": "SELECT 'p' || n, n, int8send(n), '\\x01', 'rp', '', 0, 0, 0, 0, '', n, n",
    "passkey_handles": "SELECT n, int8send(n)",
    "recovery_codes": "SELECT n / 10, int8send(n), 0, 0",
    "pending_logins": "SELECT int8send(n), n, 1, '', '', '', '', 0, 0, 'net', '', 0, '', '', 0, 0, n, n, 0, 1",
    "trusted_devices": "SELECT 't' || n, n, 1, '', '', '', n, n, n, int8send(n), 1",
    "spent_trusts": "SELECT int8send(n), 't' || n, n",
    "agreements": "SELECT n / 10, n, 'terms', '1', n, ''",
    "security_links": "SELECT int8send(n), n, '', '', n, n, 0, 1",
    "export_tickets": "SELECT 't' || n, n, n, n, 0, 1",
}
VALUES: dict[str, Any] = {
    **dict.fromkeys(("kind", "network", "passkey_id", "trust_id", "ticket_id", "name"), "t77"),
    **dict.fromkeys(
        ("credential", "ticket", "digest", "new_digest", "mac", "begun", "sealed", "device", "handle"), b"77"
    ),
    **dict.fromkeys(("account_number", "app_id", "counter", "counter_before", "used_before", "backed_up"), 77),
    **dict.fromkeys(("others", "most", "epoch"), 1),
    **dict.fromkeys(("now", "until", "expires_at", "before"), 300),
}


def statements(database: Database) -> Iterator[tuple[str, str, Statement]]:
    """Those that read or change rows of these tables, and do not only put one there."""
    about = re.compile(rf"\b(?:FROM|UPDATE)\s+(?:{'|'.join(TABLES)})\b")
    for file in files():
        for name, statement in read(file, database).items():
            if about.search(statement.text) and (file, name) not in WHOLE:
                yield file, name, statement


def test_they_are_all_looked_at() -> None:
    looked_at = {(file, name) for file, name, _ in statements("sqlite")}
    assert len(looked_at) >= 35
    assert {file for file, _ in looked_at} == {*(f for f in files() if f.startswith(("proofs/", "owner/"))), "upkeep"}
    assert all(name in read(file, "sqlite") for file, name in WHOLE)


def test_on_sqlite(sqlite_template: Path) -> None:
    with closing(sqlite3.connect(sqlite_template)) as connection:
        for file, name, statement in statements("sqlite"):
            values = [VALUES[each] for each in statement.names]
            plan = connection.execute(f"EXPLAIN QUERY PLAN {statement.text}", values).fetchall()
            scanned = [row[3] for row in plan if re.match(rf"SCAN (?:{'|'.join(TABLES)})\b(?! USING INDEX)", row[3])]
            assert scanned == [], f"{file} {name}"


@pytest.mark.parametrize("found", ["few", "none"])
async def test_on_postgresql(emptied_url: str, found: str) -> None:
    values = VALUES if found == "few" else VALUES | {"before": 0, "epoch": 0}
    connection = await asyncpg.connect(emptied_url)
    try:
        for table, rows in FILL.items():
            await connection.execute(f"INSERT INTO {table} {rows} FROM generate_series(1::bigint, {ROWS}) AS n")
            await connection.execute(f"ANALYZE {table}")
        for file, name, statement in statements("postgresql"):
            arguments = [values[each] for each in statement.names]
            plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {statement.text}", *arguments))
            assert not re.search(rf"Seq Scan on (?:{'|'.join(TABLES)})\b", plan), f"{file} {name}: {plan}"
    finally:
        await connection.close()
