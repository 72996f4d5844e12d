"""`menshen clock confirm`, and what `menshen check` says of a clock."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from menshen.adapters.storage.sql.engines.patience import USUAL, Patience
from menshen.cli.opening import settings_of
from tests.cli.conftest import Menshen

pytestmark = pytest.mark.attack("SG-8")

HOUR = 3_600_000


def mark(data: Path, at: int) -> None:
    """Note a time, as a server did that ran then."""
    with closing(sqlite3.connect(data / "menshen.db")) as connection:
        connection.execute("UPDATE installation SET marked_at = ?", (at,))
        connection.commit()


def marked(data: Path) -> int:
    with closing(sqlite3.connect(data / "menshen.db")) as connection:
        return int(connection.execute("SELECT marked_at FROM installation").fetchone()[0])


def warnings(menshen: Menshen) -> list[str]:
    return [line for line in menshen("check").out.splitlines() if "the clock" in line]


def test_a_clock_ahead_of_what_is_certain_is_told_until_it_is_confirmed(menshen: Menshen, data: Path) -> None:
    assert menshen("migrate").code == 0
    assert warnings(menshen) == []
    now = time.time_ns() // 1_000_000
    mark(data, now - HOUR)
    (line,) = warnings(menshen)
    assert "ahead of the last that a server noted" in line
    assert marked(data) == now - HOUR, "to look changes nothing"
    assert menshen("clock", "confirm", "--json").json()["now"] >= now
    assert marked(data) >= now
    assert warnings(menshen) == []


def test_a_mark_that_a_wrong_clock_left_is_told_and_lowered(menshen: Menshen, data: Path) -> None:
    assert menshen("migrate").code == 0
    now = time.time_ns() // 1_000_000
    mark(data, now + 365 * 24 * HOUR)
    (line,) = warnings(menshen)
    assert "behind the last that a server noted" in line
    assert menshen("clock", "confirm").code == 0
    assert now <= marked(data) < now + HOUR
    assert warnings(menshen) == []


def test_a_clock_that_is_not_the_databases_cannot_be_confirmed(
    menshen: Menshen, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MENSHEN_STORAGE__URL", postgres_url)
    assert menshen("migrate").code == 0
    assert menshen("clock", "confirm").code == 0
    assert warnings(menshen) == []

    async def turn() -> None:
        """Let the database tell a time of an hour ago, past its own clock."""
        connection = await asyncpg.connect(postgres_url)
        await connection.execute(
            "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS"
            " $$ SELECT pg_catalog.clock_timestamp() - interval '1 hour' $$"
        )
        name = await connection.fetchval("SELECT current_database()")
        await connection.execute(f'ALTER DATABASE "{name}" SET search_path = public, pg_catalog')
        await connection.close()

    asyncio.run(turn())
    (line,) = warnings(menshen)
    assert "differs from the database's by 3600 s" in line
    done = menshen("clock", "confirm")
    assert (done.code, done.out) == (1, "")
    assert done.err == "menshen: this machine's clock differs from the database's: mend the one that is wrong\n"


def test_commands_wait_longer_than_servers(tmp_path: Path) -> None:
    command, server = (settings_of(tmp_path, None, serves=serves).patience for serves in (False, True))
    assert server == USUAL
    assert (command.statement, command.lock, command.transaction, command.busy) == (USUAL.command,) * 4
    assert (command.acquire, command.connect) == (USUAL.acquire, USUAL.connect)
    assert Patience(statement=900, command=1).of_commands.statement == 900, "never shorter"
