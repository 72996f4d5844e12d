"""Check the texts of argon2 hashes: if libsodium can verify them at an allowed cost, and the cost.

A malformed text is refused here. libsodium would refuse it at once without computing a hash, and the short time would
reveal the account. (docs/security/attacks.md EN-2.)
"""

from __future__ import annotations

import base64
import re
from typing import Final

from menshen.core.login.hash_costs import ARGON2_PREFIX, MOST_KIB, MOST_WORK

_LONGEST: Final = 128
"""libsodium's limit for a hash text."""

_ARGON2 = re.compile(rf"{ARGON2_PREFIX}(?P<salt>[A-Za-z0-9+/]{{11,86}})\$(?P<digest>[A-Za-z0-9+/]{{22,86}})", re.ASCII)


def affordable(stored: str) -> bool:
    """Check that verifying it costs one argon2 of its own parameters, and no more than the limits."""
    found = _ARGON2.fullmatch(stored)
    if found is None or len(stored) >= _LONGEST:
        return False
    memory, passes, lanes = int(found["m"]), int(found["t"]), int(found["p"])
    return (
        8 * lanes <= memory <= MOST_KIB
        and memory * passes <= MOST_WORK
        and _is_whole(found["salt"])
        and _is_whole(found["digest"])
    )


def _is_whole(text: str) -> bool:
    """Check that it is base64 without padding and without unused bits, as libsodium requires."""
    if len(text) % 4 == 1:
        return False
    raw = base64.b64decode(text + "=" * (-len(text) % 4))
    return base64.b64encode(raw).rstrip(b"=").decode() == text
