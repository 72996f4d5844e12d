"""What every test may ask for."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import stores
from tests.canary import demand_clean_log, demand_clean_run
from tests.harness import Harness, open_harness

# Examples may take as long as the machine needs.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

# Before anybody imports them: the assertions of the suites that ship then tell what they compared.
pytest.register_assert_rewrite("menshen.testing")
pytest_plugins = ["tests.figures", "tests.postgres"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--store", choices=["sqlite", "postgresql"], default="sqlite", help="the database of the tests")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of SQLite's own file say so, and are no part of a run on PostgreSQL."""
    if config.getoption("--store") == "postgresql":
        kept = [item for item in items if item.get_closest_marker("sqlite_file") is None]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept


@pytest.fixture(scope="session", autouse=True)
def clean_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No file that the run left behind holds a password of its people."""
    yield
    demand_clean_run(tmp_path_factory.getbasetemp())


@pytest.fixture(autouse=True)
def clean_log() -> Iterator[None]:
    """No line that a test made this process log tells a secret."""
    yield
    demand_clean_log()


@pytest.fixture(scope="session", autouse=True)
def chosen_store(request: pytest.FixtureRequest) -> Iterator[None]:
    """What the harness and started servers keep their data in."""
    if request.config.getoption("--store") == "postgresql":
        stores.use_postgres(request.getfixturevalue("postgres_server").create)
    yield
    stores.use_postgres(None)


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[Harness]:
    """A fresh installation with the default app, everything at its default but the hash cost."""
    async with open_harness(tmp_path) as made:
        yield made
