"""Time and luck: the only sources of both. Implemented in `menshen.app.world`, injected everywhere."""

from __future__ import annotations

from typing import Protocol

from menshen.core.time import Instant


class World(Protocol):
    """What the surroundings give."""

    def now(self) -> Instant:
        """The present, in epoch ms. May stand still or be set in tests; never decides expiry by itself."""
        ...

    def elapsed_ms(self) -> float:
        """Milliseconds since some moment, never fewer than before: for how long, not for when. Any thread may ask."""
        ...

    def worked_ms(self) -> float:
        """Milliseconds of processor that the thread which asks has had."""
        ...

    async def pause(self, ms: float) -> None:
        """Come back `ms` milliseconds later. Takes no thread and no processor meanwhile."""
        ...

    def token_bytes(self, count: int) -> bytes:
        """`count` bytes from a cryptographic source."""
        ...

    def digits(self, count: int) -> str:
        """`count` decimal digits, each text equally likely, leading zeros included."""
        ...
