"""Heads of stored hashes: the part of the text that says how long it takes to judge a password by it, and no secret.

`$2b$10$` of bcrypt; `$argon2id$v=19$m=65536,t=3,p=4$` of argon2. A CareyShop hash has none: it costs nothing to judge.
(docs/security/attacks.md EN-2; decision 0030.)
"""

from __future__ import annotations

import re
from typing import Final

LONGEST: Final = 40
"""Characters of a stored text that are enough to see its head."""

_HEAD = re.compile(
    r"\$2[abxy]\$[0-9]{2}\$|\$argon2id?\$v=19\$m=[0-9]{1,7},t=[0-9]{1,2},p=[0-9]{1,2}\$",
    re.ASCII,
)


def head_of(stored: str) -> str:
    """The head of a stored hash, "" when it has none."""
    found = _HEAD.match(stored)
    return found[0] if found else ""
