"""Verify hashes of other systems. They are never made for new passwords. (docs/contracts/careyshop.md section 5.12.)

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
    """Return the text that stores an imported CareyShop hash."""
    inner = hashlib.sha1(password, usedforsecurity=False).hexdigest()
    outer = hashlib.md5(f"{inner}Carey_Shop#".encode(), usedforsecurity=False).hexdigest()
    return CAREYSHOP + outer


def is_legacy(stored: str) -> bool:
    """Check if `verify_legacy` can verify it at a bounded cost."""
    return bool(_CAREYSHOP.fullmatch(stored) or _BCRYPT.fullmatch(stored))


def verify_legacy(stored: str, password: bytes) -> bool:
    """Check if `password` made the hash. bcrypt uses only the first 72 bytes, so only they are compared."""
    if _CAREYSHOP.fullmatch(stored):
        return hmac.compare_digest(stored.encode(), careyshop_hash(password).encode())
    # PHP's $2y$ and the rare $2x$ of correct implementations are other names of $2b$.
    modern = "$2b$" + stored[4:]
    try:
        return bcrypt.checkpw(password[:_BCRYPT_BYTES], modern.encode())
    except ValueError:
        # The unused bits in the last character of a salt must be zero, so not every text of this form is a salt.
        return False
