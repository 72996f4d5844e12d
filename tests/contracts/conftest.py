"""Migrated databases, copied or emptied for each test: making one takes longer than most tests do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from menshen.storage.sql.migrate import migrate_postgres, migrate_sqlite
from menshen.storage.sql.tables import metadata
from tests.compiled_once import compiled_once  # noqa: F401 - a fixture
from tests.postgres import PostgresServer


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "menshen.db"
    migrate_sqlite(path)
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    url = postgres_server.create()
    asyncio.run(migrate_postgres(url))
    return url


@pytest.fixture(scope="session")
def postgres_emptied(postgres_server: PostgresServer, postgres_template: str) -> str:
    return postgres_server.create(template=postgres_template)


@pytest.fixture
async def emptied_url(postgres_emptied: str) -> str:
    """One database for many tests, as it was after the migrations."""
    connection = await asyncpg.connect(postgres_emptied)
    tables = ", ".join(f'"{name}"' for name in metadata.tables if name != "installation")
    await connection.execute(f"TRUNCATE {tables} RESTART IDENTITY; UPDATE installation SET epoch = 1")
    await connection.close()
    return postgres_emptied


@pytest.fixture
def migrated_url(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """A database of one's own, for tests that change more than rows."""
    url = postgres_server.create(template=postgres_template)
    yield url
    postgres_server.drop(url)
