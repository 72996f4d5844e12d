"""Read the clock and the random device. No other module may."""

from __future__ import annotations

import asyncio
import secrets
import time

from menshen.core.time import Instant


class SystemWorld:
    """Implement `menshen.ports.world.World` on this machine."""

    def now(self) -> Instant:
        return Instant(time.time_ns() // 1_000_000)

    def elapsed_ms(self) -> float:
        return time.perf_counter() * 1000

    def worked_ms(self) -> float:
        return time.thread_time() * 1000

    async def pause(self, ms: float) -> None:
        await asyncio.sleep(ms / 1000)

    def token_bytes(self, count: int) -> bytes:
        return secrets.token_bytes(count)

    def digits(self, count: int) -> str:
        return str(secrets.randbelow(10**count)).zfill(count)
