"""Read the prefix of a stored hash. It says how expensive a verification is, and holds no secret.

Examples are `$2b$10$` of bcrypt and `$argon2id$v=19$m=65536,t=3,p=4$` of argon2. A CareyShop hash has no prefix. Its
verification costs almost nothing. (docs/security/attacks.md EN-2; decision 0030.)
"""

from __future__ import annotations

import re
from typing import Final

LONGEST: Final = 40
"""Characters of a stored hash that are enough to read its prefix."""

MOST_KIB: Final = 256 * 1024
"""The most memory that a hash may use, in KiB."""

MOST_WORK: Final = 1024 * 1024
"""The most work that a hash may need: KiB times passes."""

BCRYPT_PREFIX: Final = r"\$2[abxy]\$[0-9]{2}\$"
ARGON2_PREFIX: Final = r"\$argon2(?:id|i)\$v=19\$m=(?P<m>[1-9][0-9]{0,6}),t=(?P<t>[1-9][0-9]?),p=(?P<p>[1-9][0-9]?)\$"
"""Patterns of both prefixes. Numbers have no leading zeros, as libsodium requires."""

_PREFIX: Final = re.compile(f"{BCRYPT_PREFIX}|{ARGON2_PREFIX}", re.ASCII)


def head_of(stored: str) -> str:
    """Return the prefix of a stored hash, "" if it has none."""
    found = _PREFIX.match(stored)
    return found[0] if found else ""


def argon2_prefix(memory_kib: int, passes: int) -> str:
    """Return the prefix of hashes with these parameters and one lane."""
    return f"$argon2id$v=19$m={memory_kib},t={passes},p=1$"


def argon2_work(stored: str) -> int:
    """Return KiB times passes of an argon2 hash or its prefix, 0 for other texts."""
    found = _PREFIX.match(stored)
    return int(found["m"]) * int(found["t"]) if found and found["m"] else 0
