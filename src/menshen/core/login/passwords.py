"""Password policy: decisions about a new password, never hashing. (NIST SP 800-63B-4, ASVS 5.0 V6.2.)

No composition rules: length, a blocklist and the person's own words are what helps.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final, Protocol

MAX_BYTES: Final = 1024
"""Longest password, in bytes of UTF-8."""


class Blocklist(Protocol):
    """Passwords that everybody tries first."""

    def __contains__(self, password: object) -> bool:
        """Whether the case-folded text is on the list."""
        ...


def normalise(password: str) -> str:
    """The form that is hashed and verified: NFC, else exactly as received (RFC 8265 OpaqueString's spirit)."""
    return unicodedata.normalize("NFC", password)


def hashable(password: str) -> bytes | None:
    """The bytes to hash, or None when no account can have this password: empty, over 1024 bytes, not UTF-8, NUL."""
    try:
        raw = normalise(password).encode("utf-8")
    except UnicodeEncodeError:
        return None
    return raw if 0 < len(raw) <= MAX_BYTES and b"\0" not in raw else None


def weakness(password: str, *, minimum: int, blocklist: Blocklist, own_words: Iterable[str]) -> str | None:
    """Why a new password is refused: "short", "long", "common", "own_words"; None when it is good.

    `minimum` counts code points after NFC. `own_words` are the person's and the product's names.
    """
    text = normalise(password)
    if len(text) < minimum:
        return "short"
    if hashable(password) is None:
        return "long"
    folded = text.casefold()
    if folded in blocklist:
        return "common"
    rest = _without(own_words, folded)
    # What is left beside the words must itself be worth guessing: twice one's name is no more than once.
    if rest != folded and (len(rest) < minimum - 2 or rest in blocklist):
        return "own_words"
    return None


def _without(words: Iterable[str], folded: str) -> str:
    """The text without those words, the longest first; those of less than four characters may stand anywhere."""
    for kernel in sorted({word.casefold() for word in words}, key=lambda word: (-len(word), word)):
        if len(kernel) >= 4:
            folded = folded.replace(kernel, "")
    return folded
