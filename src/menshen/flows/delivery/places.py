"""Bound how many messages each sender has at the same time, for one worker and channel."""

from __future__ import annotations

from collections import Counter
from typing import Final

AT_ONCE_PER_SENDER: Final = 8


class Places:
    """Count places. A sender that hangs holds its own, and none of the others."""

    def __init__(self) -> None:
        """Begin with all of them free."""
        self._taken: Counter[str] = Counter()

    def take(self, sender: str) -> bool:
        """Take a place of a sender. False: there is none."""
        if self._taken[sender] >= AT_ONCE_PER_SENDER:
            return False
        self._taken[sender] += 1
        return True

    def give_back(self, sender: str) -> None:
        """Free a place that was taken."""
        self._taken[sender] -= 1
