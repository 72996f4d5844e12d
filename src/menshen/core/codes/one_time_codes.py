"""Define one-time codes: six digits that are sent to a phone or email, for one purpose of one app.

A code is ABSENT, OPEN, VERIFIED (right, and consumed by a later call), SPENT, or dead after too many tries:

    put ──> OPEN ──take, right──> SPENT
             │ └──verify, right──> VERIFIED ──consume──> SPENT
             └──5 wrong tries, 300 s, or a newer code──> dead

Storage does each step in one atomic statement. This module only judges the result from storage.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import SECOND, Instant

DIGITS: Final = 6
"""Digits of a code. A million codes are possible."""

LIFETIME: Final = 300 * SECOND
"""Lifetime of a code (ms)."""

TRIES: Final = 5
"""Wrong tries after which a code is no longer valid."""

TRIES_OF_OTHERS: Final = 3
"""Wrong tries that all other networks together may make. The rest is kept for the network that asked for the code."""


class Purpose(StrEnum):
    """Name the purposes of codes. A code of one purpose is not valid for another."""

    LOGIN = "login"
    SIGNUP = "signup"
    RESET = "reset"
    BIND = "bind"
    PROOF = "proof"
    VERIFY = "verify"
    STEP = "step"
    """A second step of a pending login. It is sent for a ticket only."""

    @property
    def needs_captcha(self) -> bool:
        """Return whether sending and trying a code needs a captcha at every app.

        CareyShop's VERIFY does not. A code for a ticket does not, because a first proof came before it.
        """
        return self not in {Purpose.VERIFY, Purpose.STEP}


class Taken(StrEnum):
    """Name the results of a try of a code in storage. Each try is counted, also a right one."""

    MATCHED = "matched"
    WRONG = "wrong"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class CodeKey:
    """Identify the code of an app, a purpose and a canonical phone or email."""

    app_id: int
    purpose: Purpose
    subject: str


@dataclass(frozen=True, slots=True)
class CodeChallenge:
    """Hold a code as stored: a keyed digest. `captcha` is the digest of the captcha token of the request (or b"").

    `asked_by` is the digest of the network that asked for it, b"" if it is not known.
    """

    key: CodeKey
    code_mac: bytes = field(repr=False)
    captcha: bytes = field(repr=False)
    created_at: Instant
    expires_at: Instant
    asked_by: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class SentCode:
    """Say of the latest code of a key, to one network: the captcha it was sent with, and what the network may do.

    `live`: a try of this network can still match. `own`: this network asked for the code, or the code does not say
    which did. `open`: a try of the network that asked can still match.
    """

    captcha: bytes = field(repr=False)
    live: bool
    own: bool
    open: bool
    asked_by: bytes = field(default=b"", repr=False)


def looks_like_code(text: str) -> bool:
    """Return whether the text is exactly six ASCII digits. Settings of test numbers must hold such a one.

    (docs/security/attacks.md OT-8.)
    """
    return len(text) == DIGITS and text.isascii() and text.isdigit()


def judge_code(taken: Taken) -> Denied | None:
    """Return the refusal for a try that did not match. It is the same for wrong, spent, expired and missing codes."""
    return None if taken is Taken.MATCHED else Denied(ProblemCode.WRONG_CODE)
