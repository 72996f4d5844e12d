"""Check a new password against the policy. This module never hashes. (NIST SP 800-63B-4, ASVS 5.0 V6.2.)

There are no composition rules. The policy checks the length, a blocklist and the person's own words.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final, Protocol

MAX_BYTES: Final = 1024
"""Greatest length of a password, in bytes of UTF-8."""


class Blocklist(Protocol):
    """Hold common passwords, which attackers try first."""

    def __contains__(self, password: object) -> bool:
        """Return whether the case-folded text is on the list."""
        ...


def normalise(password: str) -> str:
    """Return the text in NFC, which is hashed and verified. Nothing else changes (similar to RFC 8265 OpaqueString)."""
    return unicodedata.normalize("NFC", password)


def hashable(password: str) -> bytes | None:
    """Return the bytes to hash. None if the password is empty, over 1024 bytes, not valid UTF-8, or contains NUL."""
    try:
        raw = normalise(password).encode("utf-8")
    except UnicodeEncodeError:
        return None
    return raw if 0 < len(raw) <= MAX_BYTES and b"\0" not in raw else None


def weakness(password: str, *, minimum: int, blocklist: Blocklist, own_words: Iterable[str]) -> str | None:
    """Return why a new password is refused ("short", "long", "common", "own_words"), or None if it is accepted.

    `minimum` counts code points after NFC. `own_words` are the names of the person and of the product.
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
    # The rest without the words must be strong enough on its own. A repeated name is as easy to guess as the name.
    if rest != folded and (len(rest) < minimum - 2 or rest in blocklist):
        return "own_words"
    return None


def _without(words: Iterable[str], folded: str) -> str:
    """Remove the words from the text, the longest first. Words of less than four characters stay."""
    for kernel in sorted({word.casefold() for word in words}, key=lambda word: (-len(word), word)):
        if len(kernel) >= 4:
            folded = folded.replace(kernel, "")
    return folded
