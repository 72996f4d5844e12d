"""What every test may ask for."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.harness import Harness, open_harness

pytest_plugins = ["tests.postgres", "tests.stores"]


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[Harness]:
    """A fresh installation with the default app, everything at its default but the hash cost."""
    async with open_harness(tmp_path) as made:
        yield made
