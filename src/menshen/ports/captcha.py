"""The behaviour test: challenges made and checked without any state until they are solved."""

from __future__ import annotations

from typing import Protocol

from menshen.core.gates.captcha import ProofOfWork, Solved
from menshen.core.time import Instant


class CaptchaProvider(Protocol):
    """A captcha vendor, or the built-in proof of work."""

    def challenge(self, *, app_id: int, network: str, difficulty: int, now: Instant) -> ProofOfWork:
        """A new challenge bound to app and network, valid `CHALLENGE_LIFETIME`; difficulty 1 is the easiest."""
        ...

    def check(self, payload: str, now: Instant) -> Solved | None:
        """What a solved payload stands for, or None. Never raises, whatever the text holds."""
        ...


class ImageArtist(Protocol):
    """Draws a text that people can read and programs should not."""

    def draw(self, text: str) -> bytes:
        """A PNG."""
        ...
