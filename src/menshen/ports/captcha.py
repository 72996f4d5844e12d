"""Define behaviour tests. No state is stored until a challenge is solved."""

from __future__ import annotations

from typing import Protocol

from menshen.core.gates.captcha import ProofOfWork, Solved
from menshen.core.time import Instant


class CaptchaProvider(Protocol):
    """Make and check challenges, by a captcha vendor or by the built-in proof of work."""

    def challenge(self, *, app_id: int, network: str, difficulty: int, now: Instant) -> ProofOfWork:
        """Return a new challenge, bound to app and network, valid `CHALLENGE_LIFETIME`. Difficulty 1 is the easiest."""
        ...

    def check(self, payload: str, now: Instant) -> Solved | None:
        """Return the content of a solved payload, or None. Never raises, for any text."""
        ...


class ImageArtist(Protocol):
    """Draw a text that people can read and programs should not."""

    def draw(self, text: str) -> bytes:
        """Return a PNG."""
        ...
