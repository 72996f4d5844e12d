"""The texts that authenticate, and the digests that storage keeps of them.

A token is 16 random bytes in the alphabet of the dialect that issued it. Look-up is by SHA-256 of the
exact text: with 128 random bits there is nothing to brute-force, and one digest is all the hot path pays.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Final

TOKEN_BYTES: Final = 16
_BASE32: Final = "ybndrfg8ejkmcpqxot1uwisza345h769"
# Two characters, ten bits, at a time.
_PAIRS: Final = tuple(first + second for first in _BASE32 for second in _BASE32)


class TokenStyle(StrEnum):
    """How 16 bytes become text."""

    BASE32 = "base32"
    HEX = "hex"


def base32(raw: bytes) -> str:
    """Unpadded base32 in the house alphabet: 16 bytes make 26 characters (docs/contracts/weidu.md section 1.3)."""
    bits = len(raw) * 8
    pairs = -(-bits // 10)
    number = int.from_bytes(raw) << pairs * 10 - bits
    text = "".join([_PAIRS[number >> shift & 1023] for shift in range(pairs * 10 - 10, -10, -10)])
    return text[: -(-bits // 5)]


def spell(raw: bytes, style: TokenStyle) -> str:
    """The token text of `raw` in a dialect's alphabet: 26 base32 characters or 32 lower-case hex."""
    return raw.hex() if style is TokenStyle.HEX else base32(raw)


def digest(token: str) -> bytes:
    """What is stored and looked up: SHA-256 of the text. Never raises, whatever the text holds."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
