"""Measure the processor time of a call, and hold it to a budget.

A test that asks for a `budget` runs twice: in every run, where a call only has to end, and in `make timing`, where the
clock holds it to its bound. A bound by the clock says nothing on a busy machine.
"""

import gc
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

import pytest

TRIES = 5
HANG_SECONDS = 30.0
"""What takes as long as this hangs, however busy the machine is."""


def cpu_seconds(call: Callable[[], object]) -> float:
    """The least of five: seconds of this thread's processor time one `call()` takes, the collector kept out.

    A suite's heap is large and its machine shared, so that any single try may pay for others.
    """
    return min(_tries(call, TRIES))


def steps(call: Callable[[], object]) -> int:
    """Count the functions, Python's and C's, that `call()` calls on this thread: as many on every machine."""
    count = 0

    def step(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(step)
    try:
        call()
    finally:
        sys.setprofile(before)
    return count


@dataclass(frozen=True)
class TimeBudget:
    """Hold a call to a bound in seconds: the one asked for by the clock, else that of a hang."""

    by_clock: bool

    def bound(self, seconds: float) -> float:
        """Seconds that count in this run."""
        return seconds if self.by_clock else HANG_SECONDS

    def hold(self, call: Callable[[], object], seconds: float, about: object = "") -> float:
        """Seconds of this thread's processor that `call()` took. Raises AssertionError beyond the bound."""
        (taken,) = _tries(call, 1)
        # What seems slow once is tried again: the machine may have been somewhere else.
        if self.by_clock and taken > seconds / 2:
            taken = cpu_seconds(call)
        assert taken < self.bound(seconds), (about, taken)
        return taken


budgeted = pytest.mark.parametrize(
    "budget",
    [
        pytest.param(TimeBudget(by_clock=False), id="ends"),
        pytest.param(TimeBudget(by_clock=True), id="by clock", marks=pytest.mark.timing),
    ],
)
"""Runs a test in every run without the clock, and in `make timing` by it."""


def _tries(call: Callable[[], object], tries: int) -> list[float]:
    taken = []
    enabled = gc.isenabled()
    gc.disable()
    try:
        for _ in range(tries):
            begun = time.thread_time()
            call()
            taken.append(time.thread_time() - begun)
    finally:
        if enabled:
            gc.enable()
    return taken
