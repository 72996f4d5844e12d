"""Hashes of other systems: recognised and verified, never made. (docs/contracts/careyshop.md section 5.12.)

A stored text names its scheme: `careyshop$<md5 hex>` for CareyShop, `$2a$`, `$2b$`, `$2x$`, `$2y$` for bcrypt.
"""

from __future__ import annotations

import hashlib
import hmac
import re

import bcrypt

CAREYSHOP = "careyshop$"
_CAREYSHOP = re.compile(r"careyshop\$[0-9a-f]{32}", re.ASCII)
_BCRYPT = re.compile(r"\$2[abxy]\$(0[4-9]|1[0-4])\$[./A-Za-z0-9]{53}", re.ASCII)
_BCRYPT_BYTES = 72


def careyshop_hash(password: bytes) -> str:
    """The text under which an imported CareyShop hash is stored."""
    inner = hashlib.sha1(password, usedforsecurity=False).hexdigest()
    outer = hashlib.md5(f"{inner}Carey_Shop#".encode(), usedforsecurity=False).hexdigest()
    return CAREYSHOP + outer


def is_legacy(stored: str) -> bool:
    """Whether `verify_legacy` can judge it, at a bounded cost."""
    return bool(_CAREYSHOP.fullmatch(stored) or _BCRYPT.fullmatch(stored))


def verify_legacy(stored: str, password: bytes) -> bool:
    """Whether `password` made the hash. bcrypt never saw more than 72 bytes, so no more are compared."""
    if _CAREYSHOP.fullmatch(stored):
        return hmac.compare_digest(stored.encode(), careyshop_hash(password).encode())
    # PHP's $2y$ and the rare $2x$ of correct implementations are $2b$ by another name.
    modern = "$2b$" + stored[4:]
    try:
        return bcrypt.checkpw(password[:_BCRYPT_BYTES], modern.encode())
    except ValueError:
        # Not every text of this shape is a salt: bits are left over in its last character, and must be zero.
        return False
