"""What every test may ask for."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests import stores
from tests.harness import Harness, open_harness

pytest_plugins = ["tests.postgres"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--store", choices=["sqlite", "postgresql"], default="sqlite", help="the database of the tests")


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
