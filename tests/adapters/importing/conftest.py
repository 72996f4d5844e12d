"""An installation to import into, on either store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.adapters.importing import shop
from tests.harness import Clock, Harness, open_harness


@pytest.fixture(params=["sqlite", "postgresql"])
async def home(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Harness]:
    """Empty but for the default app, at the moment of the shop's dump."""
    environ = {}
    if request.param == "postgresql":
        environ["MENSHEN_STORAGE__URL"] = request.getfixturevalue("postgres_url")
    async with open_harness(tmp_path, environ, clock=Clock(shop.NOW * 1000)) as made:
        yield made
