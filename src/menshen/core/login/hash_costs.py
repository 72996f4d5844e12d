"""Read the prefix of a stored hash: the part of the text that says how much work a verification is, and no secret.

`$2b$10$` of bcrypt; `$argon2id$v=19$m=65536,t=3,p=4$` of argon2. A CareyShop hash has none: verifying it costs nothing.
(docs/security/attacks.md EN-2; decision 0030.)
"""

from __future__ import annotations

import re
from typing import Final

LONGEST: Final = 40
"""Characters of a stored text that are enough to see its prefix."""

MOST_KIB: Final = 256 * 1024
"""The most memory that a hash may take, in KiB."""

MOST_WORK: Final = 1024 * 1024
"""The most work that a hash may be: KiB times passes."""

BCRYPT_PREFIX: Final = r"\$2[abxy]\$[0-9]{2}\$"
ARGON2_PREFIX: Final = r"\$argon2(?:id|i)\$v=19\$m=(?P<m>[1-9][0-9]{0,6}),t=(?P<t>[1-9][0-9]?),p=(?P<p>[1-9][0-9]?)\$"
"""Patterns of the two. Numbers stand as libsodium reads them: without leading zeros."""

_PREFIX: Final = re.compile(f"{BCRYPT_PREFIX}|{ARGON2_PREFIX}", re.ASCII)


def head_of(stored: str) -> str:
    """Return the prefix of a stored hash, "" when it has none."""
    found = _PREFIX.match(stored)
    return found[0] if found else ""


def argon2_prefix(memory_kib: int, passes: int) -> str:
    """Return the prefix of the hashes that are made with these parameters, in one lane."""
    return f"$argon2id$v=19$m={memory_kib},t={passes},p=1$"


def argon2_work(stored: str) -> int:
    """Return the KiB times passes of an argon2 hash or its prefix, 0 for any other text."""
    found = _PREFIX.match(stored)
    return int(found["m"]) * int(found["t"]) if found and found["m"] else 0
