"""Waiting for what must happen: as long as a busy machine needs, and not for ever; and a look at whether it has."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

GUARD = 60.0
"""Seconds after which what has not happened hangs. It says nothing of how fast anything is."""


async def until(happened: Callable[[], object], every: float = 0.02) -> float:
    """Ask `happened`, a function or a coroutine's, until it says yes; the seconds that took.

    Raises:
        AssertionError: it hangs.
    """
    began = time.monotonic()
    while True:
        found = happened()
        if await found if inspect.isawaitable(found) else found:
            return time.monotonic() - began
        assert time.monotonic() - began < GUARD, "it hangs"
        await asyncio.sleep(every)


def wait_until(happened: Callable[[], object], every: float = 0.02) -> float:
    """As `until`, where no loop runs."""
    began = time.monotonic()
    while not happened():
        assert time.monotonic() - began < GUARD, "it hangs"
        time.sleep(every)
    return time.monotonic() - began


def open_files(pid: int) -> set[str]:
    """What the process has open, a socket as `socket:[inode]`."""
    found = set()
    for file in Path(f"/proc/{pid}/fd").glob("*"):
        with suppress(FileNotFoundError):
            found.add(str(file.readlink()))
    return found
