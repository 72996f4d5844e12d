"""Schema 0007 stamps what was issued before it, and what a program of schema 0006 issues beside it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from menshen.adapters.storage.sql.schema.migrate import migrate_postgres, migrate_sqlite
from tests.adapters.storage.migrations.scripts import script_to
from tests.patience import LONG

MAC, OTHER = "x'aa'", "x'bb'"

CODE = (
    "INSERT INTO codes (app_id, purpose, subject, code_mac, captcha, expires_at) VALUES (1, 'login', '{}', {}, {}, 9)"
)
# As a program of schema 0006 writes them.
ISSUE = (
    CODE + " ON CONFLICT (app_id, purpose, subject) DO UPDATE SET code_mac = excluded.code_mac",
    "INSERT INTO captcha_passes (digest, expires_at) VALUES ({1}, 9)",
    "INSERT INTO captcha_images (digest, expires_at) VALUES ({1}, 9)",
    "INSERT INTO outbox (channel, template, body_sealed) VALUES ('sms', 'code_login', {1})",
)
NOTICE = "INSERT INTO outbox (channel, template, body_sealed) VALUES ('sms', 'password_changed', {})"
RAISED = "UPDATE installation SET epoch = 7"
EPOCHS = "SELECT epoch FROM {} ORDER BY epoch"
TABLES = ("codes", "captcha_passes", "captcha_images", "outbox")
AUDITED = "INSERT INTO audit (at, tag) VALUES (1234, 'login.failed')"


def issued(subject: str, mac: str) -> list[str]:
    return [statement.format(subject, mac, mac) for statement in ISSUE]


def before() -> list[str]:
    return [*issued("+861", MAC), NOTICE.format(MAC), AUDITED, RAISED]


def after() -> list[str]:
    """One more of each; and the code of before is replaced, by a program that knows no epoch."""
    return [*issued("+862", OTHER), "UPDATE installation SET epoch = 8", issued("+861", OTHER)[0]]


def expected(table: str) -> list[int]:
    if table == "codes":
        return [7, 8]
    return [7, 7, 2**62] if table == "outbox" else [7, 7]


def on_postgres(statements: list[str]) -> str:
    return ";".join(statements).replace("x'aa'", "'\\xaa'").replace("x'bb'", "'\\xbb'")


@pytest.mark.attack("AD-8")
def test_what_an_older_program_issues_is_stamped(tmp_path: Path) -> None:
    path = tmp_path / "menshen.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"{script_to('0006', 'sqlite')};{';'.join(before())}")
    assert migrate_sqlite(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT cleared_epoch, marked_at FROM installation").fetchall() == [(7, 1234)]
        connection.executescript(";".join(after()))
        for table in TABLES:
            assert [row[0] for row in connection.execute(EPOCHS.format(table))] == expected(table), table


@pytest.mark.attack("AD-8")
async def test_what_an_older_program_issues_is_stamped_on_postgres(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    await connection.execute(f"{script_to('0006', 'postgresql')};{on_postgres(before())}")
    assert await migrate_postgres(postgres_url, LONG)
    assert await connection.fetch("SELECT cleared_epoch, marked_at FROM installation") == [(7, 1234)]
    await connection.execute(on_postgres(after()))
    for table in TABLES:
        assert [row[0] for row in await connection.fetch(EPOCHS.format(table))] == expected(table), table
    await connection.close()
