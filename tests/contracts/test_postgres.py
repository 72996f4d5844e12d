"""The store contract on PostgreSQL, and what only PostgreSQL needs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from menshen.ports.store import WriteTx
from menshen.storage.sql.postgres import PostgresStore, open_postgres
from menshen.storage.sql.tables import metadata
from menshen.testing.store_contract import Dump, OpenStore, StoreContract
from menshen.testing.store_contract.records import settle
from tests.contracts.sealer import SEALER


async def opener(url: str) -> AsyncIterator[OpenStore]:
    opened: list[PostgresStore] = []

    async def open_one() -> PostgresStore:
        opened.append(await open_postgres(url, SEALER))
        return opened[-1]

    yield open_one
    for store in opened:
        await store.close()


@pytest.fixture
async def open_store(emptied_url: str) -> AsyncIterator[OpenStore]:
    async for made in opener(emptied_url):
        yield made


@pytest.fixture
async def open_own_store(migrated_url: str) -> AsyncIterator[OpenStore]:
    async for made in opener(migrated_url):
        yield made


@pytest.fixture
def dump(emptied_url: str) -> Dump:
    async def every_row() -> bytes:
        connection = await asyncpg.connect(emptied_url)
        rows = []
        for table in metadata.tables:
            for row in await connection.fetch(f'SELECT * FROM "{table}"'):
                rows += [value if isinstance(value, bytes) else str(value).encode() for value in row.values()]
        await connection.close()
        return b"\n".join(rows)

    return every_row


class TestPostgres(StoreContract):
    pass


async def alter(url: str, *settings: str) -> None:
    """Change the database's own defaults, for whoever connects from now on."""
    connection = await asyncpg.connect(url)
    name = await connection.fetchval("SELECT current_database()")
    for setting in settings:
        await connection.execute(f'ALTER DATABASE "{name}" SET {setting}')
    await connection.close()


async def test_every_connection_is_as_the_promises_need_it(open_own_store: OpenStore, migrated_url: str) -> None:
    """Whatever the database's own defaults are."""
    await alter(migrated_url, "default_transaction_isolation = 'serializable'", "synchronous_commit = off")
    store = await open_own_store()
    assert isinstance(store, PostgresStore)

    async def look(tx: WriteTx) -> list[str]:
        ask = tx.accounts._run._connection.fetchval  # type: ignore[attr-defined]
        return [await ask("SHOW transaction_isolation"), await ask("SHOW synchronous_commit")]

    assert await store.write(look) == ["read committed", "on"]


async def test_a_read_only_database_is_read_and_not_written(open_own_store: OpenStore, migrated_url: str) -> None:
    store = await open_own_store()
    await settle(store, "alice")
    await alter(migrated_url, "default_transaction_read_only = on")
    other = await open_own_store()
    assert await other.read.accounts.find(1)
    with pytest.raises(Exception, match="ReadOnly"):
        await settle(other, "bob")
    assert not await other.ready()
    assert await store.ready()
