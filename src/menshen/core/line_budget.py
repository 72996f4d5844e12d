"""Count what happens often, and say which occurrences get a line in the log, so that a flood cannot fill it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final

from menshen.core.time import HOUR, Instant

LINES_AN_HOUR: Final = 100
"""Lines of one key in an hour. After them, only each power of two has a line."""


@dataclass(slots=True)
class LineBudget:
    """Count by key. Keys are words of the program, so memory is bounded."""

    _seen: dict[Hashable, tuple[int, int]] = field(default_factory=dict)

    def count(self, key: Hashable, now: Instant) -> int:
        """Count one occurrence at `now`. Return its number in this hour if it gets a line, else 0."""
        hour = now // HOUR
        last, count = self._seen.get(key, (hour, 0))
        count = count + 1 if last == hour else 1
        self._seen[key] = (hour, count)
        return count if count <= LINES_AN_HOUR or count.bit_count() == 1 else 0
