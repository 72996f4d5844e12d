"""Compute the minimum time of a refusal, if stored hashes may take longer to verify than the current parameters.

It knows the prefixes of stored hashes and the processor time that verifying them takes: first estimated, later measured
here. It also knows how much other load slows the latest verifications down.
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
"""Factor of a refusal over the slowest verification. A verification that is slowed down by less stays hidden."""

PACES: Final = (1.0, 2.0, 4.0)
"""Factors of the floor while other load slows verifications down. The steps keep it constant on an idle machine, so
that it does not depend on the verification before."""

STRETCH: Final = 1.25
"""Factor by which a verification may exceed its pace before the next pace is taken."""

HELD: Final = 32
"""Number of verifications that must fit the lower pace before it is taken again."""

MOST_HEADS: Final = 16
"""Only the most expensive prefixes are measured, so that a thousand of them do not cost a start a minute of hashing."""

TIMINGS: Final = 3
_BCRYPT_MS: Final = 0.07
"""One round of bcrypt's key schedule, a high estimate: 72 ms at cost 10, 287 at 12."""

_ARGON2_MS: Final = 0.001
"""One KiB once: 39 ms for 19 MiB and two passes."""


def dummy_of(head: str) -> str:
    """Return a hash with this prefix that no password matches, for measuring. "" if such hashes are not verified."""
    made = head + ("." * 53 if head.startswith("$2") else f"{'A' * 22}${'A' * 43}")
    return made if is_legacy(made) or affordable(made) else ""


class RefusalFloor:
    """Hold the times of stored prefixes and the present load. Not thread-safe."""

    def __init__(self, own: str) -> None:
        """Take the prefix of the current parameters."""
        self._own = own
        self._heads: list[str] = []
        self._took: dict[str, list[float]] = {}
        self._dearest = 0.0
        self._pace = 0
        self._held = 0

    @property
    def ms(self) -> float:
        """Return the minimum time (ms) from the start of a verification to its refusal; 0 for none."""
        return MARGIN * PACES[self._pace] * self._dearest

    def short(self, stored: str, took: float) -> float:
        """Return how long (ms) a refusal by this text must still wait, after a verification of `took` ms.

        Other load slows all verifications down. The latest ones, of any account, show how much. The present one counts
        only for later ones: else its wait would depend on its own noise, and reveal its hash.
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
        """Set the prefixes that may be stored. The own prefix and those too expensive to verify are ignored."""
        judged = [head for head in heads if head != self._own and dummy_of(head)]
        self._heads = sorted(judged, key=self._reckoned, reverse=True)[:MOST_HEADS]
        self._settle()

    def untimed(self) -> str | None:
        """Return a prefix that still has to be measured, or None."""
        heads = [*self._heads, self._own] if self._heads else []
        return next((head for head in heads if len(self._took.get(head, ())) < TIMINGS), None)

    def note(self, head: str, ms: float) -> None:
        """Note the processor time (ms) of one verification by a hash with this prefix, all added work included."""
        self._took.setdefault(head, []).append(ms)
        # A time that was slow by the estimate may be the normal time on this machine.
        self._pace = 0
        self._settle()

    def _settle(self) -> None:
        self._dearest = max((self._takes(head) for head in self._heads), default=0.0)

    def _takes(self, head: str) -> float:
        took = self._took.get(head, ())
        return median(took) if len(took) >= TIMINGS else max([self._reckoned(head), *took])

    def _reckoned(self, head: str) -> float:
        own = _ARGON2_MS * argon2_work(self._own)
        if head.startswith("$2"):
            # A bcrypt hash costs one argon2id of the current parameters in addition.
            return own + _BCRYPT_MS * (1 << int(head[4:6]))
        return max(_ARGON2_MS * argon2_work(head), own)
