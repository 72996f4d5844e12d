"""How long a refusal takes at least where hashes may be stored that take longer to judge than today's own.

Knows heads of hashes and what judging by them takes: as reckoned at first, as timed on this machine later.
(design/security.md EN-2; decision 0030.)
"""

from __future__ import annotations

import re
from collections.abc import Collection
from statistics import median
from typing import Final

from menshen.hashing.argon2_texts import affordable
from menshen.hashing.legacy import is_legacy

MARGIN: Final = 1.5
"""How much longer than the dearest verdict a refusal takes: one that other work slows down that much stays hidden."""

MOST_HEADS: Final = 16
"""The dearest so many are timed: a dump with a thousand parameters costs no start a minute of hashing."""

TIMINGS: Final = 3
_BCRYPT_MS: Final = 0.07
"""One round of bcrypt's key schedule, reckoned high: 72 ms at cost 10, 287 at 12."""

_ARGON2_MS: Final = 0.001
"""One KiB once: 39 ms for 19 MiB and two passes."""

_ARGON2_COST = re.compile(r"m=([0-9]+),t=([0-9]+),", re.ASCII)


def dummy_of(head: str) -> str:
    """A hash of that head that no password has, and that takes what any of its head takes. "" when none is judged."""
    made = head + ("." * 53 if head.startswith("$2") else f"{'A' * 22}${'A' * 43}")
    return made if is_legacy(made) or affordable(made) else ""


class RefusalFloor:
    """What is known of the heads that may be stored. `ms` is read by any thread, everything else by one."""

    def __init__(self, own: str) -> None:
        """`own` is the head of today's parameters."""
        self._own = own
        self._heads: list[str] = []
        self._took: dict[str, list[float]] = {}
        self.ms = 0.0

    def expect(self, heads: Collection[str]) -> None:
        """These may be stored, and no others. Own ones and those refused for their cost count for nothing."""
        judged = [head for head in heads if head != self._own and dummy_of(head)]
        self._heads = sorted(judged, key=self._reckoned, reverse=True)[:MOST_HEADS]
        self._settle()

    def untimed(self) -> str | None:
        """A head that is to be timed once more, None when all were."""
        return next((head for head in self._heads if len(self._took.get(head, ())) < TIMINGS), None)

    def note(self, head: str, ms: float) -> None:
        """A verdict by a hash of that head, whatever is added to it included, took so long."""
        self._took.setdefault(head, []).append(ms)
        self._settle()

    def _settle(self) -> None:
        self.ms = MARGIN * max((self._takes(head) for head in self._heads), default=0.0)

    def _takes(self, head: str) -> float:
        took = self._took.get(head, ())
        return median(took) if len(took) >= TIMINGS else max(self._reckoned(head), *took, 0.0)

    def _reckoned(self, head: str) -> float:
        own = _argon2_ms(self._own)
        # Whoever has a bcrypt hash pays one argon2id of today's beside it.
        return _BCRYPT_MS * 2 ** int(head[4:6]) + own if head.startswith("$2") else max(_argon2_ms(head), own)


def _argon2_ms(head: str) -> float:
    found = _ARGON2_COST.search(head)
    return _ARGON2_MS * int(found[1]) * int(found[2]) if found else 0.0
