"""Define the only source of time and random bytes. `menshen.app.world` implements it, and it is injected everywhere."""

from __future__ import annotations

from typing import Protocol

from menshen.core.time import Instant


class World(Protocol):
    """Give time and random bytes."""

    def now(self) -> Instant:
        """Return the present in epoch ms. It may stand still or jump in tests, and never decides expiry by itself."""
        ...

    def elapsed_ms(self) -> float:
        """Return milliseconds since a fixed moment, never fewer than before, to measure durations. Thread-safe."""
        ...

    def running_ms(self) -> int:
        """Return milliseconds since a fixed moment of this machine, those in which it slept included."""
        ...

    def worked_ms(self) -> float:
        """Return the processor time (ms) of the calling thread."""
        ...

    async def pause(self, ms: float) -> None:
        """Return after `ms` milliseconds. It uses no thread and no processor meanwhile."""
        ...

    def token_bytes(self, count: int) -> bytes:
        """Return `count` bytes from a cryptographic source."""
        ...

    def digits(self, count: int) -> str:
        """Return `count` decimal digits, leading zeros included. All texts are equally likely."""
        ...
