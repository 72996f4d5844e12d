"""The store contract on PostgreSQL, and what only PostgreSQL needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from msgspec.structs import replace

from menshen.adapters.storage.sql.engines.patience import Patience
from menshen.adapters.storage.sql.engines.postgres import PostgresStore, open_postgres
from menshen.core.problems import Problem, ProblemCode
from menshen.ports.store.store import WriteTx
from menshen.testing.store_contract import Dump, OpenStore, StoreContract
from menshen.testing.store_contract.records import NOW, settle
from tests.adapters.storage.postgres_stores import dump_of, opener
from tests.adapters.storage.sealer import SEALER
from tests.patience import LONG


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
    return dump_of(emptied_url)


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


async def test_a_caller_waits_for_a_connection_as_long_as_told_and_no_longer(migrated_url: str) -> None:
    store = await open_postgres(migrated_url, SEALER, pool_size=1, patience=replace(LONG, acquire=0.05))
    held = await store.connections.acquire()
    with pytest.raises(Problem) as caught:
        await store.read.accounts.find(1)
    assert "no free connection" in str(caught.value)
    assert caught.value.denied.code is ProblemCode.UNAVAILABLE
    store.connections.release(held)
    assert await store.read.accounts.find(1) is None
    await store.close()


@pytest.mark.parametrize(
    ("patience", "told"),
    # A statement of a second: those by which it connects take less on any machine.
    [(replace(LONG, statement=1.0), "QueryCanceled"), (replace(LONG, transaction=0.05), "TimeoutError")],
)
async def test_what_takes_longer_than_told_is_given_up(migrated_url: str, patience: Patience, told: str) -> None:
    store = await open_postgres(migrated_url, SEALER, patience=patience)

    async def doze(tx: WriteTx) -> None:
        await tx.accounts._run._connection.execute("SELECT pg_sleep(30)")  # type: ignore[attr-defined]

    with pytest.raises(Problem, match=told):
        await store.write(doze)
    await store.close()


async def test_a_lock_is_waited_for_as_long_as_told(migrated_url: str) -> None:
    patient = await open_postgres(migrated_url, SEALER, patience=LONG)
    hasty = await open_postgres(migrated_url, SEALER, patience=replace(LONG, lock=0.05))
    alice = await settle(patient, "alice")
    holder = await patient.connections.acquire()
    await holder.execute("BEGIN; SELECT * FROM accounts FOR UPDATE")
    with pytest.raises(Problem, match="LockNotAvailable"):
        await hasty.write(lambda tx: tx.accounts.close(alice.number, now=NOW))
    waiting = asyncio.ensure_future(patient.write(lambda tx: tx.accounts.close(alice.number, now=NOW)))
    while not await holder.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110 - it is the server's
        await asyncio.sleep(0.01)
    # Longer than the other had; it waits still.
    await asyncio.sleep(0.2)
    assert not waiting.done()
    await holder.execute("COMMIT")
    patient.connections.release(holder)
    await waiting
    for store in (patient, hasty):
        await store.close()
