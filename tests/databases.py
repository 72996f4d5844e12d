"""Migrated databases, copied or emptied for each test: making one takes longer than most tests do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from menshen.adapters.storage.sql.schema.catalogue import tables
from menshen.adapters.storage.sql.schema.migrate import migrate_postgres, migrate_sqlite
from tests.postgres import PostgresServer


def _in_a_loop(work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    """Run it to its end whether or not a loop runs here already: fixtures ask for fixtures."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(work())).result()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "menshen.db"
    migrate_sqlite(path)
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    url = postgres_server.create()
    _in_a_loop(lambda: migrate_postgres(url))
    return url


@pytest.fixture(scope="session")
def postgres_emptied(postgres_server: PostgresServer, postgres_template: str) -> str:
    return postgres_server.create(template=postgres_template)


@pytest.fixture
def emptied_url(postgres_emptied: str) -> str:
    """One database for many tests, as it was after the migrations."""

    async def empty() -> None:
        connection = await asyncpg.connect(postgres_emptied)
        names = ", ".join(f'"{name}"' for name in tables() if name != "installation")
        await connection.execute(f"TRUNCATE {names} RESTART IDENTITY")
        await connection.execute("UPDATE installation SET epoch = 1, cleared_epoch = 1, raised_at = 0, marked_at = 0")
        await connection.close()

    _in_a_loop(empty)
    return postgres_emptied


@pytest.fixture
def migrated_url(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """A database of one's own, for tests that change more than rows."""
    url = postgres_server.create(template=postgres_template)
    yield url
    postgres_server.drop(url)
