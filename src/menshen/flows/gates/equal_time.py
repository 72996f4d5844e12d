"""Delay the answer to a refused password, so that it takes as long as a check of the slowest hash that may be stored.

The hasher computes the delay. During the wait only the caller's own request is held. (Decision 0030.)
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from menshen.ports.world import World


class EqualTime:
    """Wait at the end of a block for the time owed in it. Enter it first, so that other blocks end before the wait."""

    def __init__(self, world: World) -> None:
        """Take the `world`, which does the pause."""
        self._world = world
        self._owed = 0.0

    def owe(self, ms: float) -> None:
        """Note that a refusal is this many milliseconds too early."""
        self._owed = ms

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # An error after the check takes as long, too. A cancelled request gets no answer, so it need not wait.
        if self._owed and (kind is None or issubclass(kind, Exception)):
            await self._world.pause(self._owed)
