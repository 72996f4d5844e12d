"""The store contract through PgBouncer in both modes, and what is demanded of a pooler."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from menshen.adapters.storage.sql.engines.connecting import address_of, connect
from menshen.adapters.storage.sql.engines.patience import Patience
from menshen.adapters.storage.sql.engines.postgres import PostgresStore, open_postgres
from menshen.adapters.storage.sql.schema.fitness import refuse_other_database
from menshen.adapters.storage.sql.schema.migrate import migrate_postgres
from menshen.ports.store.store import WriteTx
from menshen.ports.store.unfit import UnfitError
from menshen.testing.store_contract import Dump, OpenStore, StoreContract
from menshen.testing.store_contract.records import settle
from tests.adapters.storage.postgres_stores import dump_of, opener
from tests.adapters.storage.sealer import SEALER
from tests.deploy.pooled.pgbouncer import pooler, through
from tests.patience import LONG
from tests.postgres import PostgresServer

pytestmark = pytest.mark.deploy

SETTINGS = (
    "synchronous_commit", "transaction_isolation", "statement_timeout", "lock_timeout",
    "idle_in_transaction_session_timeout",
)  # fmt: skip
IGNORED = (
    "ignore_startup_parameters = statement_timeout, lock_timeout, idle_in_transaction_session_timeout,"
    " synchronous_commit, default_transaction_isolation, options"
)


@pytest.fixture(scope="module", params=["session", "transaction"])
def port(request: pytest.FixtureRequest, postgres_server: PostgresServer) -> Iterator[int]:
    with pooler(postgres_server, request.param) as made:
        yield made


@pytest.fixture
async def open_store(port: int, emptied_url: str) -> AsyncIterator[OpenStore]:
    async for made in opener(through(port, emptied_url)):
        yield made


@pytest.fixture
async def open_own_store(port: int, migrated_url: str) -> AsyncIterator[OpenStore]:
    async for made in opener(through(port, migrated_url)):
        yield made


@pytest.fixture
def dump(emptied_url: str) -> Dump:
    return dump_of(emptied_url)


class TestPooled(StoreContract):
    pass


async def seen(store: PostgresStore) -> list[str]:
    """The settings as a transaction of the store sees them."""

    async def look(tx: WriteTx) -> list[str]:
        ask = tx.accounts._run._connection.fetchval  # type: ignore[attr-defined]
        return [await ask(f"SHOW {name}") for name in SETTINGS]

    return await store.write(look)


@pytest.mark.parametrize("lines", [(), (IGNORED,)], ids=["refused", "ignored"])
@pytest.mark.parametrize("mode", ["session", "transaction"])
async def test_settings_are_in_force_whatever_the_pooler_does_with_them(
    postgres_server: PostgresServer, migrated_url: str, mode: str, lines: tuple[str, ...]
) -> None:
    """Refused at the beginning of a connection, or dropped in silence; the database's own defaults are others."""
    straight = await asyncpg.connect(migrated_url)
    name = await straight.fetchval("SELECT current_database()")
    for setting in ("default_transaction_isolation = 'serializable'", "synchronous_commit = off"):
        await straight.execute(f'ALTER DATABASE "{name}" SET {setting}')
    await straight.close()
    with pooler(postgres_server, mode, *lines) as port:
        store = await open_postgres(through(port, migrated_url), SEALER, patience=Patience())
        assert await seen(store) == ["on", "read committed", "4s", "3s", "10s"]
        assert await seen(store) == ["on", "read committed", "4s", "3s", "10s"]
        # Nothing of it is left to others who share the pooler's connections.
        other = await asyncpg.connect(through(port, migrated_url), statement_cache_size=0)
        async with other.transaction():
            assert await other.fetchval("SHOW synchronous_commit") == "off"
            assert await other.fetchval("SHOW statement_timeout") == "0"
        await other.close()
        await store.close()


@pytest.mark.parametrize("mode", ["session", "transaction"])
async def test_reads_have_their_settings_too(postgres_server: PostgresServer, migrated_url: str, mode: str) -> None:
    with pooler(postgres_server, mode) as port:
        store = await open_postgres(through(port, migrated_url), SEALER, patience=Patience())

        async def look(run: Any) -> str:
            return str(await run._connection.fetchval("SHOW statement_timeout"))

        assert await store.read.accounts._run._on_any(look) == "4s"  # type: ignore[attr-defined]
        await store.close()


async def test_a_server_that_answers_itself_is_used_straight(migrated_url: str) -> None:
    connection, pooled = await connect(address_of(migrated_url))
    assert not pooled
    assert await connection.fetchval("SHOW synchronous_commit") == "on"
    connection.terminate()


async def test_reads_of_many_share_few_connections_and_hear_their_own_answers(
    postgres_server: PostgresServer, migrated_url: str
) -> None:
    """Two connections of the server, forty readers of several kinds: a statement with a name would be missing."""
    with pooler(postgres_server, "transaction", "default_pool_size = 2", "min_pool_size = 2") as port:
        url = through(port, migrated_url)
        stores = [await open_postgres(url, SEALER, pool_size=20, patience=LONG) for _ in range(2)]
        people = [await settle(stores[0], f"person{n}") for n in range(8)]

        async def ask(turn: int) -> None:
            wanted = people[turn % len(people)]
            read = stores[turn % 2].read
            if turn % 3 == 0:
                assert await read.outbox.list_all(limit=turn + 1) == []
                return
            found = await (read.accounts.find(wanted.number) if turn % 3 == 1 else read.accounts.find_by_public_id("x"))
            assert (found.username if found else None) == (wanted.username if turn % 3 == 1 else None)

        await asyncio.gather(*(ask(turn) for turn in range(400)))
        for store in stores:
            await store.close()


async def test_an_empty_database_is_made_through_a_pooler_once(port: int, postgres_url: str) -> None:
    done = await asyncio.gather(*(migrate_postgres(through(port, postgres_url), LONG) for _ in range(4)))
    assert sorted(done) == [False, False, False, True]


async def test_a_pooler_that_holds_no_transaction_is_named(postgres_server: PostgresServer, migrated_url: str) -> None:
    with pooler(postgres_server, "statement") as port:
        url = through(port, migrated_url)
        told = rf"the pooler at 127\.0\.0\.1 port {port}, .* pool_mode = statement"
        with pytest.raises(UnfitError, match=told):
            await open_postgres(url, SEALER, patience=LONG)
        with pytest.raises(UnfitError, match=told):
            await migrate_postgres(url, LONG)


async def test_a_pooler_that_lacks_something_is_named(postgres_server: PostgresServer, migrated_url: str) -> None:
    with pooler(postgres_server, "transaction", "max_db_connections = 100") as port:
        for url, told in (
            (through(port, migrated_url).replace("menshen@", "nobody@"), "refuses the password of the role nobody"),
            (f"{through(port, migrated_url)}?options=-cjit%3Doff", "refuses the parameter options"),
        ):
            with pytest.raises(UnfitError, match=told):
                await migrate_postgres(url, LONG)


async def test_the_direct_address_must_be_the_servers_own(port: int, migrated_url: str, postgres_url: str) -> None:
    await refuse_other_database(through(port, migrated_url), migrated_url, LONG)
    with pytest.raises(UnfitError, match=r"a pooler answers at 127\.0\.0\.1 port"):
        await refuse_other_database(through(port, migrated_url), through(port, migrated_url), LONG)
    with pytest.raises(UnfitError, match="which is another database than that of"):
        await refuse_other_database(through(port, migrated_url), postgres_url, LONG)
