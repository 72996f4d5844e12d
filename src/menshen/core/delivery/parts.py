"""Count the parts of a text message: carriers charge each part as one message.

GSM 03.38 (3GPP TS 23.038 section 6.2.1) holds 160 characters of seven bits, or 153 in each of several parts. A text
with any other character is sent in UCS-2: 70 units of 16 bits, or 67 in each of several parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_GSM: Final = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ \n\r") | frozenset(
    "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!\"#¤%&'()+*,-./:;<=>?¡ÄÖÑÜ§¿äöñüà"
)
_GSM_EXTENSION: Final = frozenset("\f^{}\\[~]|€")
"""Characters that take two places: an escape and their own."""


@dataclass(frozen=True, slots=True)
class Size:
    """Hold the size of a text: its alphabet, its length in units of it, the units of one part, and the parts."""

    alphabet: str
    units: int
    one_part: int
    parts: int


def size_of(text: str) -> Size:
    """Return the size of any text. The empty text is one part."""
    if all(letter in _GSM or letter in _GSM_EXTENSION for letter in text):
        return _size("GSM", [1 + (letter in _GSM_EXTENSION) for letter in text], 160, 153)
    return _size("UCS-2", [1 + (ord(letter) > 0xFFFF) for letter in text], 70, 67)


def _size(alphabet: str, widths: list[int], alone: int, joined: int) -> Size:
    units = sum(widths)
    return Size(alphabet, units, alone, 1 if units <= alone else sum(_cuts(widths, joined)))


def _cuts(widths: list[int], most: int) -> Iterator[int]:
    """Yield 1 for each part. A character of two units stays in one part."""
    left = 0
    for width in widths:
        if width > left:
            left = most
            yield 1
        left -= width
