"""Run random actions against a model: nothing that it does not allow happens, on either database.

The short form runs the same examples each time. The long form draws new ones: `make stateful`, or
`make stateful MENSHEN_EXAMPLES=5000` for so many.
"""

from __future__ import annotations

import os
from pathlib import Path

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from menshen.adapters.storage.sql.schema.catalogue import tables
from tests.stateful.account_machine import AccountMachine

EXAMPLES = int(os.environ.get("MENSHEN_EXAMPLES", "300"))


@pytest.fixture(params=["sqlite", "postgresql"])
def machine(request: pytest.FixtureRequest) -> type[AccountMachine]:
    """Give the machine, on files of each example's own or on one database that is emptied before each."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        return type("OnSqlite", (AccountMachine,), {"template": template})
    url: str = request.getfixturevalue("postgres_emptied")

    async def empty() -> None:
        connection = await asyncpg.connect(url)
        names = ", ".join(f'"{name}"' for name in tables() if name != "installation")
        await connection.execute(f"TRUNCATE {names} RESTART IDENTITY; UPDATE installation SET epoch = 1, marked_at = 0")
        await connection.close()

    def fresh_data(self: AccountMachine) -> None:
        self.run(empty())

    return type("OnPostgres", (AccountMachine,), {"environ": {"MENSHEN_STORAGE__URL": url}, "fresh_data": fresh_data})


def run_examples(machine: type[AccountMachine], examples: int, steps: int, *, same: bool) -> None:
    """Run so many examples of so many steps each, the same ones each time or new ones."""
    profile = settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=same,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate] if same else [Phase.generate, Phase.shrink],
        print_blob=True,
    )
    run_state_machine_as_test(machine, settings=profile)


def test_nothing_happens_that_the_model_does_not_allow(
    machine: type[AccountMachine], request: pytest.FixtureRequest
) -> None:
    run_examples(machine, 15 if request.node.callspec.params["machine"] == "postgresql" else 45, 25, same=True)


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_nothing_happens_in_long_examples_either(machine: type[AccountMachine]) -> None:
    run_examples(machine, EXAMPLES, 100, same=False)
