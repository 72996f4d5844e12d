"""Define recovery codes: ten, each good once, for who lost every other factor.

(docs/contracts/factors.md section 7.)
"""

from __future__ import annotations

import re
from typing import Final

from menshen.core.keys import Keyring, Use

HOW_MANY: Final = 10
"""Codes of a set."""

LENGTH: Final = 12
"""Characters of a code: 60 bits."""

ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
"""32 characters that people do not confuse, in lower case (Crockford's)."""

RANDOM_BYTES: Final = 12
"""Random bytes for one code: five bits of each are used."""

_BETWEEN: Final = re.compile(r"[\s-]")
_CODE: Final = re.compile(f"[{ALPHABET}]{{{LENGTH}}}", re.ASCII)
_ALIKE: Final = str.maketrans("iloILO", "110110")


def spell_code(chance: bytes) -> str:
    """Return a code of `RANDOM_BYTES` random bytes, as people see it: `xxxx-xxxx-xxxx`."""
    letters = "".join(ALPHABET[byte % len(ALPHABET)] for byte in chance[:LENGTH])
    return "-".join(letters[at : at + 4] for at in range(0, LENGTH, 4))


def read_code(typed: str) -> str | None:
    """Return the 12 characters of a typed code, without case, dashes and blanks. None for any other text."""
    if len(typed) > 4 * LENGTH or not typed.isascii():
        return None
    plain = _BETWEEN.sub("", typed).translate(_ALIKE).lower()
    return plain if _CODE.fullmatch(plain) else None


def mac_of(keyring: Keyring, account_number: int, code: str) -> bytes:
    """Return what is stored of a code: an HMAC that is bound to its account."""
    return keyring.index.mac(Use.RECOVERY, str(account_number), code)
