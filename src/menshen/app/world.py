"""Read the clock and the random device. No other module may."""

from __future__ import annotations

import asyncio
import secrets
import time
from functools import partial

from menshen.core.time import Instant
from menshen.flows.background.clock import ClockWatch
from menshen.ports.world import World

seconds_since_boot = partial(time.clock_gettime, getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
"""Return seconds for ages. On Linux they go on while the machine sleeps, which those of `time.monotonic` do not."""


class SystemWorld:
    """Implement `menshen.ports.world.World` on this machine."""

    def now(self) -> Instant:
        return Instant(time.time_ns() // 1_000_000)

    def elapsed_ms(self) -> float:
        return time.perf_counter() * 1000

    def running_ms(self) -> int:
        return round(seconds_since_boot() * 1000)

    def worked_ms(self) -> float:
        return time.thread_time() * 1000

    async def pause(self, ms: float) -> None:
        await asyncio.sleep(ms / 1000)

    def token_bytes(self, count: int) -> bytes:
        return secrets.token_bytes(count)

    def digits(self, count: int) -> str:
        return str(secrets.randbelow(10**count)).zfill(count)


class SettledWorld:
    """Show the instant that nodes agree on, where this machine's clock is too far from the database's."""

    def __init__(self, world: World, clocks: ClockWatch) -> None:
        """Read everything else from `world`."""
        self._world = world
        self._clocks = clocks

    def now(self) -> Instant:
        return self._clocks.settled

    def elapsed_ms(self) -> float:
        return self._world.elapsed_ms()

    def running_ms(self) -> int:
        return self._world.running_ms()

    def worked_ms(self) -> float:
        return self._world.worked_ms()

    async def pause(self, ms: float) -> None:
        await self._world.pause(ms)

    def token_bytes(self, count: int) -> bytes:
        return self._world.token_bytes(count)

    def digits(self, count: int) -> str:
        return self._world.digits(count)
