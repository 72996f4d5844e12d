"""Encode tokens, and compute the digests that storage keeps of them.

A token is 16 random bytes in the alphabet of the dialect that issued it. Look-up uses SHA-256 of the exact text. 128
random bits cannot be found by brute force, so one fast digest is enough, and each request computes only one.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Final

TOKEN_BYTES: Final = 16
_BASE32: Final = "ybndrfg8ejkmcpqxot1uwisza345h769"
# Each entry encodes ten bits as two characters.
_PAIRS: Final = tuple(first + second for first in _BASE32 for second in _BASE32)


class TokenStyle(StrEnum):
    """Name the encodings of 16 bytes as text."""

    BASE32 = "base32"
    HEX = "hex"


def base32(raw: bytes) -> str:
    """Encode as base32 without padding: 16 bytes give 26 characters. (Alphabet: docs/contracts/weidu.md section 1.3)"""
    bits = len(raw) * 8
    pairs = -(-bits // 10)
    number = int.from_bytes(raw) << pairs * 10 - bits
    text = "".join([_PAIRS[number >> shift & 1023] for shift in range(pairs * 10 - 10, -10, -10)])
    return text[: -(-bits // 5)]


def spell(raw: bytes, style: TokenStyle) -> str:
    """Return `raw` as a token in the dialect's alphabet: 26 base32 characters or 32 lower-case hex digits."""
    return raw.hex() if style is TokenStyle.HEX else base32(raw)


def digest(token: str) -> bytes:
    """Return the SHA-256 of the token text, which is stored and looked up. Never raises, for any text."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
