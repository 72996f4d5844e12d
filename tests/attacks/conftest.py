"""What attackers have: clients of both dialects, both databases, two processes that race, a started server."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.concurrent_clients import Tries
from tests.attacks.hash_costs import Hashed, record_hashes
from tests.harness import Harness, open_harness
from tests.server import Server, running

ROOT = Path(__file__).parents[2]
RACERS = 50

Call = dict[str, Any]


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


class Racers:
    """Two processes on the installation of a harness; `race` starts their calls at the same moment."""

    def __init__(self) -> None:
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.attacks.concurrent_clients"],
                cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            for _ in range(2)
        ]  # fmt: skip

    async def race(self, harness: Harness, environ: dict[str, str], calls: list[Call], **limits: Any) -> list[Tries]:
        """Give the tries of each call, in the order of the calls; every other call is the second process's."""
        task = {"folder": str(harness.data_dir), "environ": environ, "clock": harness.clock.now(), "limits": limits}
        for process, half in zip(self._processes, (calls[::2], calls[1::2]), strict=True):
            self._say(process, json.dumps({**task, "calls": half}))
        for process in self._processes:
            assert await asyncio.to_thread(self._hear, process) == "ready\n"
        for process in self._processes:
            self._say(process, "go")
        tries: list[Tries] = [[] for _ in calls]
        for start, process in enumerate(self._processes):
            tries[start::2] = json.loads(await asyncio.to_thread(self._hear, process))
        return tries

    @staticmethod
    def _say(process: subprocess.Popen[str], line: str) -> None:
        assert process.stdin is not None
        process.stdin.write(line + "\n")
        process.stdin.flush()

    @staticmethod
    def _hear(process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        return process.stdout.readline()

    def close(self) -> None:
        for process in self._processes:
            process.kill()
            process.communicate()


@pytest.fixture(scope="session")
def racers() -> Iterator[Racers]:
    """The two processes of this test worker."""
    made = Racers()
    yield made
    made.close()


Race = Callable[..., Any]


@pytest.fixture
def race(site: Harness, environ: dict[str, str], racers: Racers) -> Race:
    """Give `await race(calls, **limits)` on `site`: the tries of each call."""

    async def run(calls: list[Call], **limits: Any) -> list[Tries]:
        return await racers.race(site, environ, calls, **limits)

    return run


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A started server with an account `alice1`, for what only real sockets show."""
    with running(tmp_path_factory.mktemp("served") / "data") as server:
        server.menshen(
            "account", "add", "--username", "alice1", "--phone", "13544285663", "--verified", "--password-stdin",
            stdin="Tr0ub4dor&3-horse",
        )  # fmt: skip
        yield server
