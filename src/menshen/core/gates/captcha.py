"""Captcha records: what is asked, what is presented, what a pass is good for.

A pass is bound to app and network and good once per action; an image belongs to one app and has one try.
(docs/contracts/weidu.md section 5.1, docs/contracts/careyshop.md section 5.9.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from menshen.core.time import MINUTE, SECOND, Instant

PASS_LIFETIME: Final = 300 * SECOND
"""Life of a captcha token (ms)."""

IMAGE_LIFETIME: Final = 120 * SECOND
"""Life of a picture captcha (ms)."""

CHALLENGE_LIFETIME: Final = 5 * MINUTE
"""Time to solve a proof of work (ms)."""

IMAGE_LENGTH: Final = 4
IMAGE_ALPHABET: Final = "2345678abcdefhkmnpqrstuvwxyz"
"""Without characters that people mistake for one another."""


class Action(StrEnum):
    """What a captcha pass is spent on: one pass serves each action once."""

    SEND_CODE = "send_code"
    LOGIN_PASSWORD = "login_password"
    LOGIN_CODE = "login_code"
    SIGNUP = "signup"
    RESET = "reset"
    EXIST = "exist"


@dataclass(frozen=True, slots=True)
class PassPresented:
    """A captcha token, as the behaviour test gave it."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ImagePresented:
    """What a person read in an image, with the session id of that image."""

    session_id: str
    answer: str = field(repr=False)


Presented = PassPresented | ImagePresented


@dataclass(frozen=True, slots=True)
class ProofOfWork:
    """A challenge to solve: ALTCHA v2's JSON object, ready for the wire, with nothing stored about it."""

    parameters: dict[str, Any]
    signature: str

    def as_json(self) -> dict[str, Any]:
        """The object a solver takes."""
        return {"parameters": self.parameters, "signature": self.signature}


@dataclass(frozen=True, slots=True)
class Solved:
    """A payload that verified: `nonce` identifies the challenge (to be spent once), bound to app and network."""

    nonce: str
    app_id: int
    network: str
    expires_at: Instant
    difficulty: int = 1


def read_image_answer(text: str) -> str:
    """Answers compare without case and surrounding blanks."""
    return text.strip().casefold()


@dataclass(frozen=True, slots=True)
class SolvedChallenge:
    """A solved behaviour test, as the client sent it (base64 of ALTCHA's payload)."""

    payload: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CaptchaPass:
    """A captcha token (26 characters), good for `PASS_LIFETIME`."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CaptchaTicket:
    """An image captcha was opened: `session_id` is 32 hex characters, or "" when none is asked for."""

    session_id: str


@dataclass(frozen=True, slots=True)
class CaptchaImage:
    """A drawn captcha: PNG bytes."""

    png: bytes = field(repr=False)
