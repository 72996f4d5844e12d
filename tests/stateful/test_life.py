"""Random lives held against a model: nothing that it does not allow happens, on either database.

The short form lives the same lives each time. The long form draws new ones: `make lives`, or
`make lives MENSHEN_LIVES=5000` for so many.
"""

from __future__ import annotations

import os
from pathlib import Path

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from menshen.adapters.storage.sql.schema.catalogue import tables
from tests.stateful.life import Life

LIVES = int(os.environ.get("MENSHEN_LIVES", "300"))


@pytest.fixture(params=["sqlite", "postgresql"])
def life(request: pytest.FixtureRequest) -> type[Life]:
    """The machine, on files of each life's own or on one database that each life finds emptied."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        return type("OnSqlite", (Life,), {"template": template})
    url: str = request.getfixturevalue("postgres_emptied")

    async def empty() -> None:
        connection = await asyncpg.connect(url)
        names = ", ".join(f'"{name}"' for name in tables() if name != "installation")
        await connection.execute(f"TRUNCATE {names} RESTART IDENTITY; UPDATE installation SET epoch = 1")
        await connection.close()

    def fresh_data(self: Life) -> None:
        self.run(empty())

    return type("OnPostgres", (Life,), {"environ": {"MENSHEN_STORAGE__URL": url}, "fresh_data": fresh_data})


def live(life: type[Life], lives: int, deeds: int, *, same: bool) -> None:
    """So many lives of so many deeds each, the same ones each time or new ones."""
    profile = settings(
        max_examples=lives,
        stateful_step_count=deeds,
        derandomize=same,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate] if same else [Phase.generate, Phase.shrink],
        print_blob=True,
    )
    run_state_machine_as_test(life, settings=profile)


def test_no_life_leaves_the_model(life: type[Life], request: pytest.FixtureRequest) -> None:
    live(life, 15 if request.node.callspec.params["life"] == "postgresql" else 45, 25, same=True)


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_no_long_life_leaves_the_model(life: type[Life]) -> None:
    live(life, LIVES, 100, same=False)
