"""Define captcha records: challenges, answers and passes.

A pass is bound to app and network, and valid once per action. An image belongs to one app and allows one try.
(docs/contracts/weidu.md section 5.1, docs/contracts/careyshop.md section 5.9.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from menshen.core.time import MINUTE, SECOND, Instant

PASS_LIFETIME: Final = 300 * SECOND
"""Lifetime of a captcha token (ms)."""

IMAGE_LIFETIME: Final = 120 * SECOND
"""Lifetime of an image captcha (ms)."""

CHALLENGE_LIFETIME: Final = 5 * MINUTE
"""Time limit for solving a proof of work (ms)."""

IMAGE_LENGTH: Final = 4
IMAGE_ALPHABET: Final = "2345678abcdefhkmnpqrstuvwxyz"
"""Characters of an image. Those that people confuse with each other are left out."""


class Action(StrEnum):
    """Name the actions for which a captcha pass is spent. One pass is valid once for each action."""

    SEND_CODE = "send_code"
    LOGIN_PASSWORD = "login_password"
    LOGIN_CODE = "login_code"
    LOGIN_PASSKEY = "login_passkey"
    SIGNUP = "signup"
    RESET = "reset"
    EXIST = "exist"
    HARDER = "harder"
    """Not an action of a client: the pass lets a harder test earn a further pass."""


@dataclass(frozen=True, slots=True)
class PassPresented:
    """Present the captcha token of a solved behaviour test."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ImagePresented:
    """Present the text that a person read in an image, with the session id of that image."""

    session_id: str
    answer: str = field(repr=False)


Presented = PassPresented | ImagePresented


@dataclass(frozen=True, slots=True)
class ProofOfWork:
    """Hold a challenge as the JSON object of ALTCHA v2. The server stores nothing about it."""

    parameters: dict[str, Any]
    signature: str

    def as_json(self) -> dict[str, Any]:
        """Return the object that a solver accepts."""
        return {"parameters": self.parameters, "signature": self.signature}


@dataclass(frozen=True, slots=True)
class Solved:
    """Hold a verified payload. `nonce` identifies the challenge, which is valid once and bound to app and network.

    `basis` is what the challenge was made with.
    """

    nonce: str
    app_id: int
    network: str
    expires_at: Instant
    difficulty: int = 1
    basis: str = ""


@dataclass(frozen=True, slots=True)
class SolvedChallenge:
    """Present a solved test as the client sent it: base64 of ALTCHA's payload, or what a vendor's page gave."""

    payload: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CaptchaPass:
    """Hold a captcha token (26 characters) that is valid for `PASS_LIFETIME`."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CaptchaTicket:
    """Say that an image captcha was opened. `session_id` is 32 hex characters, or "" if no captcha is needed."""

    session_id: str


@dataclass(frozen=True, slots=True)
class CaptchaImage:
    """Hold the PNG bytes of an image captcha."""

    png: bytes = field(repr=False)
