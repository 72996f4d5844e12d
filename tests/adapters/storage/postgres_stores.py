"""Open stores on PostgreSQL for the store contract, and read all that a database holds."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg

from menshen.adapters.storage.sql.engines.postgres import PostgresStore, open_postgres
from menshen.adapters.storage.sql.schema.catalogue import tables
from menshen.testing.store_contract import Dump, OpenStore
from tests.adapters.storage.sealer import SEALER
from tests.patience import CROWD, LONG


async def opener(url: str) -> AsyncIterator[OpenStore]:
    """Give what opens stores at `url`, and close them at the end."""
    opened: list[PostgresStore] = []

    async def open_one() -> PostgresStore:
        opened.append(await open_postgres(url, SEALER, pool_size=CROWD, patience=LONG))
        return opened[-1]

    yield open_one
    for store in opened:
        await store.close()


def dump_of(url: str) -> Dump:
    """Give what returns every value of every row."""

    async def every_row() -> bytes:
        connection = await asyncpg.connect(url)
        rows = []
        for table in tables():
            for row in await connection.fetch(f'SELECT * FROM "{table}"'):
                rows += [value if isinstance(value, bytes) else str(value).encode() for value in row.values()]
        await connection.close()
        return b"\n".join(rows)

    return every_row
