"""One-time codes: six digits to a phone or mailbox, for one purpose of one app.

A code is ABSENT, OPEN, VERIFIED (told right, to be consumed by a later call), SPENT or dead by its tries:

    put ──> OPEN ──take, right──> SPENT
             │ └──verify, right──> VERIFIED ──consume──> SPENT
             └──5 wrong tries, 300 s, or a newer code──> dead

Storage does each step in one atomic statement; this file only judges what storage told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import SECOND, Instant

DIGITS: Final = 6
"""Digits of a code: a million values."""

LIFETIME: Final = 300 * SECOND
"""Life of a code (ms)."""

TRIES: Final = 5
"""Wrong tries that end a code."""


class Purpose(StrEnum):
    """What a code proves. A code of one purpose is nothing to another."""

    LOGIN = "login"
    SIGNUP = "signup"
    RESET = "reset"
    BIND = "bind"
    PROOF = "proof"
    VERIFY = "verify"

    @property
    def needs_captcha(self) -> bool:
        """Whether sending and trying it asks for a captcha: all but CareyShop's, whose clients know none there."""
        return self is not Purpose.VERIFY


class Taken(StrEnum):
    """What storage found when a code was tried: the try is counted whatever the answer."""

    MATCHED = "matched"
    WRONG = "wrong"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class CodeKey:
    """Whom a code is for: app, purpose and the canonical phone or email."""

    app_id: int
    purpose: Purpose
    subject: str


@dataclass(frozen=True, slots=True)
class CodeChallenge:
    """A code as stored: keyed digest only. `captcha` is the digest of the captcha token it was sent with (or b"")."""

    key: CodeKey
    code_mac: bytes = field(repr=False)
    captcha: bytes = field(repr=False)
    created_at: Instant
    expires_at: Instant


def looks_like_code(text: str) -> bool:
    """Exactly six ASCII digits: full-width digits, blanks, line feeds are no code (docs/security/attacks.md OT-8)."""
    return len(text) == DIGITS and text.isascii() and text.isdigit()


def judge_code(taken: Taken) -> Denied | None:
    """The refusal for a try that did not match; wrong, spent, expired and missing look alike."""
    return None if taken is Taken.MATCHED else Denied(ProblemCode.WRONG_CODE)
