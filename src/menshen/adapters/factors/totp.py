"""Judge the codes of authenticator apps: RFC 6238 with SHA-1, six digits and steps of 30 seconds.

The counter of the enrolled factor is the step of its last code. The library pyotp comes with this file, which nothing
imports before its first use. (docs/contracts/factors.md section 5.)
"""

from __future__ import annotations

import base64
import re
from typing import Final
from urllib.parse import quote

from msgspec import Struct
from pyotp import TOTP
from pyotp.exceptions import OTPVerificationError

from menshen.core.time import SECOND, Instant
from menshen.ports.factors import Begun, Challenge, Enrolled, Proved, SecondFactor, Unproved

SECRET_BYTES: Final = 20
"""Bytes of a new secret: as many as the digest has."""

LEAST_BITS: Final = 80
"""Bits of the shortest secret that works. Programs that users come from made secrets of 80."""

WINDOW: Final = 1
"""Steps before and after the present one whose codes are right, too."""

_CODE: Final = re.compile(r"[0-9]{6}", re.ASCII)


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold the keys of this kind. It has none: apps agree on one form of codes."""


class TotpFactor:
    """Implement `menshen.ports.factors.SecondFactor`."""

    methods = ("otp",)

    def begin(self, label: str, issuer: str, chance: bytes) -> Begun:
        secret = base64.b32encode(chance[:SECRET_BYTES]).decode()
        return Begun(Enrolled(secret), {"secret": secret, "uri": _uri(secret, label, issuer)})

    def confirm(self, begun: Enrolled, proof: str, challenge: Challenge, now: Instant) -> Proved | Unproved:
        return self.prove(begun, proof, challenge, now)

    def challenge(self, enrolled: tuple[Enrolled, ...], chance: bytes, now: Instant) -> Challenge:
        return Challenge()

    def prove(self, enrolled: Enrolled, proof: str, challenge: Challenge, now: Instant) -> Proved | Unproved:
        step = _step_of(enrolled.secret, proof, now) if _is_code(proof) else None
        if step is None or step <= enrolled.counter:
            return Unproved.WRONG
        return Proved(Enrolled(enrolled.secret, step))


class _ImportedTotp(TOTP):
    """Judge codes of secrets that the library itself finds too short."""

    min_secret_length_bits = LEAST_BITS


def _is_code(proof: object) -> bool:
    """Return whether this is six ASCII digits. The library folds other digits and takes numbers: further spellings."""
    return isinstance(proof, str) and _CODE.fullmatch(proof) is not None


def _step_of(secret: str, code: str, now: Instant) -> int | None:
    """Return the step whose code this is, of the present one and its neighbours. None for no such code or secret."""
    try:
        return _ImportedTotp(secret).verify_and_get_timecode(code, for_time=now // SECOND, valid_window=WINDOW)
    except (OTPVerificationError, ValueError):
        # ValueError: the secret is no base32, or too short. An altered secret proves nothing.
        return None


def _uri(secret: str, label: str, issuer: str) -> str:
    """Return what an authenticator app reads from a QR code. A colon separates the two names, so neither has one."""
    name, product = (_encoded(text.replace(":", " ")) for text in (label, issuer))
    return f"otpauth://totp/{product}:{name}?secret={secret}&issuer={product}&algorithm=SHA1&digits=6&period=30"


def _encoded(text: str) -> str:
    return quote(text, safe="", errors="replace")


def build(settings: Settings, outward: object = None) -> SecondFactor:
    """Make the factor."""
    return TotpFactor()
