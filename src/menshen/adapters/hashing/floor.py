"""How long a refusal takes at least where hashes may be stored that take longer to judge than today's own.

Knows heads of hashes and what judging by them takes of a processor: as reckoned at first, as timed here later; and by
how much the latest verdicts took longer, because other work wanted the processor too.
(docs/security/attacks.md EN-2; decision 0030.)
"""

from __future__ import annotations

from collections.abc import Collection
from statistics import median
from typing import Final

from menshen.adapters.hashing.argon2_texts import affordable
from menshen.adapters.hashing.legacy import is_legacy
from menshen.core.login.hash_costs import argon2_work, head_of

MARGIN: Final = 1.5
"""How much longer than the dearest verdict a refusal takes: one that is suddenly slowed down that much stays hidden."""

PACES: Final = (1.0, 2.0, 4.0)
"""By how much the floor is lifted while other work slows verdicts down. In steps: on a calm machine the floor stands
still, and does not tell of the verdict before."""

STRETCH: Final = 1.25
"""How much slower than its pace a verdict may be before the next pace is taken."""

HELD: Final = 32
"""Verdicts that must fit the pace below before it is taken again."""

MOST_HEADS: Final = 16
"""The dearest so many are timed: a dump with a thousand parameters costs no start a minute of hashing."""

TIMINGS: Final = 3
_BCRYPT_MS: Final = 0.07
"""One round of bcrypt's key schedule, reckoned high: 72 ms at cost 10, 287 at 12."""

_ARGON2_MS: Final = 0.001
"""One KiB once: 39 ms for 19 MiB and two passes."""


def dummy_of(head: str) -> str:
    """A hash of that head that no password has, and that takes what any of its head takes. "" when none is judged."""
    made = head + ("." * 53 if head.startswith("$2") else f"{'A' * 22}${'A' * 43}")
    return made if is_legacy(made) or affordable(made) else ""


class RefusalFloor:
    """What is known of the heads that may be stored, and of how busy the machine is. One thread only."""

    def __init__(self, own: str) -> None:
        """`own` is the head of today's parameters."""
        self._own = own
        self._heads: list[str] = []
        self._took: dict[str, list[float]] = {}
        self._dearest = 0.0
        self._pace = 0
        self._held = 0

    @property
    def ms(self) -> float:
        """How long after the beginning of a verdict its refusal may be answered; 0 for at once."""
        return MARGIN * PACES[self._pace] * self._dearest

    def short(self, stored: str, took: float) -> float:
        """How much too early (ms) a verdict by that text came, that took so long.

        Other work slows all verdicts down. How much is known from the latest of them, whoever's they were; this one
        only counts for those after it: else it would wait by its own noise, which tells what it was.
        """
        if not self._dearest:
            return 0.0
        short = max(0.0, self.ms - took)
        head = head_of(stored)
        self._keep_pace(took / self._takes(head if head in self._heads else self._own))
        return short

    def _keep_pace(self, slowness: float) -> None:
        fits = next((n for n, pace in enumerate(PACES) if slowness <= STRETCH * pace), len(PACES) - 1)
        if fits >= self._pace:
            self._pace, self._held = fits, HELD
        elif self._held:
            self._held -= 1
        else:
            self._pace, self._held = self._pace - 1, HELD

    def expect(self, heads: Collection[str]) -> None:
        """These may be stored, and no others. Own ones and those refused for their cost count for nothing."""
        judged = [head for head in heads if head != self._own and dummy_of(head)]
        self._heads = sorted(judged, key=self._reckoned, reverse=True)[:MOST_HEADS]
        self._settle()

    def untimed(self) -> str | None:
        """A head that is to be timed once more, None when all were or need not be."""
        heads = [*self._heads, self._own] if self._heads else []
        return next((head for head in heads if len(self._took.get(head, ())) < TIMINGS), None)

    def note(self, head: str, ms: float) -> None:
        """A verdict by a hash of that head, whatever is added to it included, took so much processor."""
        self._took.setdefault(head, []).append(ms)
        # What was slow by the reckoning may be what it takes here.
        self._pace = 0
        self._settle()

    def _settle(self) -> None:
        self._dearest = max((self._takes(head) for head in self._heads), default=0.0)

    def _takes(self, head: str) -> float:
        took = self._took.get(head, ())
        return median(took) if len(took) >= TIMINGS else max([self._reckoned(head), *took])

    def _reckoned(self, head: str) -> float:
        own = _ARGON2_MS * argon2_work(self._own)
        # Whoever has a bcrypt hash pays one argon2id of today's beside it.
        return (
            _BCRYPT_MS * 2 ** int(head[4:6]) + own
            if head.startswith("$2")
            else max(_ARGON2_MS * argon2_work(head), own)
        )
