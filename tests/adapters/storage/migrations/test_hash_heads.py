"""Schema 0005 finds the heads of hashes that stand on accounts already."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import asyncpg

from menshen.adapters.storage.sql.schema.migrate import migrate_postgres, migrate_sqlite
from menshen.core.login.hash_costs import head_of
from tests.adapters.storage.migrations.scripts import script_to
from tests.patience import LONG

TAIL = f"{'A' * 22}${'A' * 43}"
STORED = [
    "$2b$10$" + "." * 53, "$2y$12$" + "x" * 53, "$2b$10$" + "z" * 53, f"$argon2id$v=19$m=65536,t=3,p=4${TAIL}",
    f"$argon2id$v=19$m=19456,t=2,p=1${TAIL}", f"$argon2i$v=19$m=64,t=3,p=12${TAIL}", "", "!", "$hash$",
    "careyshop$56cfa86be43299fb5e25e1ec6160c7d1", "$2b$1", "$argon2id$v=19$broken", "$argon2id$m=64,t=1,p=1$" + TAIL,
]  # fmt: skip
HEADS = {head_of(text) for text in STORED} - {""}
ROWS = ";".join(
    f"INSERT INTO accounts (public_id, password_hash) VALUES ('{n}', '{text}')" for n, text in enumerate(STORED)
)


def test_what_stands_there_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "menshen.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"{script_to('0004', 'sqlite')};{ROWS}")
    assert migrate_sqlite(path)
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT head, noted_at FROM hash_heads").fetchall()
    assert len(HEADS) == 5
    assert set(found) == {(head, 0) for head in HEADS}


async def test_what_stands_there_is_noted_on_postgres(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    await connection.execute(f"{script_to('0004', 'postgresql')};{ROWS}")
    assert await migrate_postgres(postgres_url, LONG)
    found = await connection.fetch("SELECT head, noted_at FROM hash_heads")
    await connection.close()
    assert {tuple(row) for row in found} == {(head, 0) for head in HEADS}
