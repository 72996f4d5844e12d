"""The questions of `menshen audit` find their rows by an index, in a table of any length."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from menshen.adapters.storage.sql.statements.reader import read

INDEXES = {
    "newest": "ix_audit_at",
    "newest_of_account": "audit_account",
    "newest_of_network": "audit_ip",
    "newest_of_tag": "audit_tag",
    "newest_of_request": "audit_request",
    "counts": "ix_audit_at",
    "counts_of_account": "audit_account",
    "counts_of_network": "audit_ip",
    "counts_of_tag": "audit_tag",
}
ROWS = 40_000
VALUES = {
    "account_number": 7, "tag": "code.prefix_pumped", "since": ROWS - 1500, "request_id": "r77",
    "first_ip": "10.0.9.", "last_ip": "10.0.9.~", "before": 2**62, "before_id": 2**62, "most": 1000,
}  # fmt: skip


@pytest.mark.parametrize("name", INDEXES)
def test_on_sqlite(sqlite_template: Path, name: str) -> None:
    statement = read("audit", "sqlite")[name]
    with closing(sqlite3.connect(sqlite_template)) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {statement.text}", statement.arguments(VALUES)).fetchall()
    assert f"SEARCH audit USING INDEX {INDEXES[name]} " in plan[0][3]


async def test_on_postgresql(postgres_emptied: str) -> None:
    connection = await asyncpg.connect(postgres_emptied)
    try:
        await connection.execute(
            "INSERT INTO audit (at, tag, account_number, ip, request_id) SELECT n, CASE WHEN n % 997 = 0 THEN"
            " 'code.prefix_pumped' ELSE 'login.failed' END, n % 500, '10.0.' || n % 200 || '.' || n % 250, 'r' || n"
            f" FROM generate_series(1, {ROWS}) AS n"
        )
        await connection.execute("ANALYZE audit")
        for name, index in INDEXES.items():
            statement = read("audit", "postgresql")[name]
            # Without the tag: PostgreSQL may take its index, which is as good.
            values = VALUES if name.endswith("of_tag") else VALUES | {"tag": ""}
            rows = await connection.fetch(f"EXPLAIN {statement.text}", *statement.arguments(values))
            plan = "\n".join(row[0] for row in rows)
            assert index in plan, f"{name}: {plan}"
            assert "Seq Scan" not in plan, f"{name}: {plan}"
    finally:
        await connection.close()
