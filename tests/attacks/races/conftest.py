"""Give two processes that race on one installation."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.races.concurrent_clients import Tries
from tests.harness import Harness

ROOT = Path(__file__).parents[3]
RACERS = 50

Call = dict[str, Any]


class Racers:
    """Two processes on the installation of a harness; `race` starts their calls at the same moment."""

    def __init__(self) -> None:
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.attacks.races.concurrent_clients"],
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
