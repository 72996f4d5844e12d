"""Refuse CBOR that costs more to write than to read. (RFC 8949; docs/security/attacks.md PK-3.)

The library reads the key and the extensions in authenticator data, and writes them again to learn their length. With
tags 28 and 29, 200 bytes name their own parts again and again, and become gigabytes then. The length must also be the
same as before, or what stands behind is read from a wrong place. Authenticators write CTAP2's canonical form, which has
neither tags nor a longer spelling of a number. (CTAP 2.1, "Message Encoding".) With such tags in the key of a map,
reading alone costs as much.
"""

from __future__ import annotations

from typing import Final

_BYTES, _TEXT, _ARRAY, _MAP, _SIMPLE = 2, 3, 4, 5, 7
_NUMBERS: Final = range(2)
_PLAIN_SIMPLE: Final = range(20, 24)
"""False, true, null and undefined. A float may become longer when it is written again."""

_WIDTHS: Final = {24: 1, 25: 2, 26: 4, 27: 8}
_LEAST: Final = {24: 24, 25: 1 << 8, 26: 1 << 16, 27: 1 << 32}
"""The least number that needs the width."""


def is_plain(raw: bytes, at: int, *, shortest: bool = True) -> bool:
    """Return whether `raw` holds from `at` on heads and texts without tags, floats and open lengths.

    With `shortest`, each number must be in its shortest spelling.
    """
    while at < len(raw):
        kind, short = raw[at] >> 5, raw[at] & 31
        at += 1
        number = short
        if short in _WIDTHS and kind != _SIMPLE:
            number = int.from_bytes(raw[at : at + _WIDTHS[short]])
            at += _WIDTHS[short]
            if shortest and number < _LEAST[short]:
                return False
        elif short >= 24:
            return False
        if kind in {_BYTES, _TEXT}:
            at += number
        elif kind == _SIMPLE:
            if number not in _PLAIN_SIMPLE:
                return False
        elif kind not in {*_NUMBERS, _ARRAY, _MAP}:
            return False
    return at == len(raw)
