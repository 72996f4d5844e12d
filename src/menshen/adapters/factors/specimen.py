"""Show a second factor to copy: a device that shows a new word of eight digits each time its button is pressed.

The word is an HMAC of a counter, as in RFC 4226, over SHA-256. The device may be some presses ahead of the server.
"""

from __future__ import annotations

import base64
import hmac
import re
from typing import Annotated, Final

from msgspec import Meta, Struct

from menshen.core.time import Instant
from menshen.ports.factors import Begun, Challenge, Enrolled, Proved, SecondFactor, Unproved

_WORD: Final = re.compile(r"[0-9]{8}", re.ASCII)


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold the keys of this kind."""

    look_ahead: Annotated[
        int, Meta(ge=1, le=20, description="How many presses the device may be ahead of the server.")
    ] = 5


class SpecimenFactor:
    """Implement `menshen.ports.factors.SecondFactor`."""

    methods = ("otp",)

    def __init__(self, settings: Settings) -> None:
        """Take the settings of this kind."""
        self._look_ahead = settings.look_ahead

    def begin(self, label: str, issuer: str, chance: bytes) -> Begun:
        secret = base64.b32encode(chance).rstrip(b"=").decode()
        return Begun(Enrolled(secret), {"secret": secret, "label": label, "issuer": issuer})

    def confirm(self, begun: Enrolled, proof: str, challenge: Challenge, now: Instant) -> Proved | Unproved:
        return self.prove(begun, proof, challenge, now)

    def challenge(self, enrolled: tuple[Enrolled, ...], chance: bytes, now: Instant) -> Challenge:
        return Challenge()

    def prove(self, enrolled: Enrolled, proof: str, challenge: Challenge, now: Instant) -> Proved | Unproved:
        # Digits of other scripts are digits to Python, and would be a second spelling of one proof.
        if not _WORD.fullmatch(proof):
            return Unproved.WRONG
        # Every word is compared, so that time does not tell which one fits.
        fits = [
            counter
            for counter in range(enrolled.counter + 1, enrolled.counter + 1 + self._look_ahead)
            if hmac.compare_digest(_word(enrolled.secret, counter), proof)
        ]
        return Proved(Enrolled(enrolled.secret, fits[0])) if fits else Unproved.WRONG


def _word(secret: str, counter: int) -> str:
    """Return the word that the device shows at its `counter`-th press, from 1."""
    digest = hmac.digest(secret.encode(), counter.to_bytes(8), "sha256")
    return f"{int.from_bytes(digest[:8]) % 10**8:08}"


def build(settings: Settings, outward: object = None) -> SecondFactor:
    """Make the factor."""
    return SpecimenFactor(settings)
