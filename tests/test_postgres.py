"""The PostgreSQL that tests run on: fresh for each, private, and recovering when asked."""

import asyncpg
import pytest

from tests.postgres import PostgresServer


@pytest.mark.parametrize("turn", range(4))
async def test_each_test_gets_an_empty_database(postgres_url: str, turn: int) -> None:
    connection = await asyncpg.connect(postgres_url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
        await connection.execute("CREATE TABLE mark (turn int)")
    finally:
        await connection.close()


async def test_a_copy_holds_what_its_template_held(postgres_server: PostgresServer, postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("CREATE TABLE mark AS SELECT 7 AS turn")
    await connection.close()
    url = postgres_server.create(template=postgres_url)
    connection = await asyncpg.connect(url)
    try:
        assert await connection.fetchval("SELECT turn FROM mark") == 7
    finally:
        await connection.close()
        postgres_server.drop(url)


async def test_what_was_committed_survives_a_crash() -> None:
    with PostgresServer(durable=True) as server:
        url = server.create()
        connection = await asyncpg.connect(url)
        assert await connection.fetchval("SHOW fsync") == "on"
        await connection.execute("CREATE TABLE mark AS SELECT 7 AS turn")
        server.crash()
        connection.terminate()
        server.start()
        connection = await asyncpg.connect(url)
        assert await connection.fetchval("SELECT turn FROM mark") == 7
        await connection.close()
        folder = server.folder
    assert not folder.exists()


def test_the_server_is_closed_to_others(postgres_server: PostgresServer) -> None:
    assert postgres_server.folder.stat().st_mode & 0o077 == 0
