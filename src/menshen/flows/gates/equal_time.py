"""Answering refused passwords no sooner than the dearest hash that may be stored takes to judge.

Knows how long, the hasher why. Nothing is held meanwhile but the caller's own request. (Decision 0030.)
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from menshen.ports.world import World


class EqualTime:
    """A block whose end waits for what is owed in it. It goes around every other: they are left before the wait."""

    def __init__(self, world: World) -> None:
        """`world` is what pauses."""
        self._world = world
        self._owed = 0.0

    def owe(self, ms: float) -> None:
        """A refusal came this many milliseconds too early."""
        self._owed = ms

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A fault after the verdict takes as long too; whoever is cancelled hears no answer.
        if self._owed and (kind is None or issubclass(kind, Exception)):
            await self._world.pause(self._owed)
