"""Give the tests of attacks an installation on each database, a started server, and the hashes that are made."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.attacks.hash_costs import Hashed, record_hashes
from tests.harness import Harness, open_harness
from tests.server import Server, running


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[Hashed]:
    """Every argon2id of the hasher from now on."""
    told: list[Hashed] = []
    record_hashes(monkeypatch, lambda what, work: told.append((what, work)))
    return told


@pytest.fixture(params=["sqlite", "postgresql"])
def environ(request: pytest.FixtureRequest) -> dict[str, str]:
    """What makes an installation use each of the two databases."""
    if request.param == "sqlite":
        return {}
    return {"MENSHEN_STORAGE__URL": request.getfixturevalue("postgres_url")}


@pytest.fixture
async def site(tmp_path: Path, environ: dict[str, str]) -> AsyncIterator[Harness]:
    """An installation, once on each database."""
    async with open_harness(tmp_path, environ) as made:
        yield made


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A started server with an account `alice1`, for what only real sockets show."""
    with running(tmp_path_factory.mktemp("served") / "data") as server:
        server.menshen(
            "account", "add", "--username", "alice1", "--phone", "13544285663", "--verified", "--password-stdin",
            stdin="Tr0ub4dor&3-horse",
        )  # fmt: skip
        yield server
