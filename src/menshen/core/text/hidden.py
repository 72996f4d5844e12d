"""Hide values in a text, in each form in which a request can hold them.

A value may stand there plain, percent-encoded, as the blank of a form, with the escapes of JSON, several of these one
over the other, or inside base64 or hexadecimal digits. What the patterns miss, a second look finds: it undoes the
encodings, and a text that still shows a value is hidden whole.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import unquote_to_bytes

MASK: Final = "••••••"

_BACKSLASH: Final = r"(?:\\|%(?:25)*5[Cc])"
_NAMED: Final = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{6,}={0,2}", re.ASCII)
_HEX: Final = re.compile(r"[0-9A-Fa-f]{8,}", re.ASCII)
_ESCAPES: Final = (
    re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL),
    re.compile(r"\\+(u[0-9A-Fa-f]{4}|.)", re.DOTALL),
)
"""Escapes of JSON, and those of JSON that was written into JSON."""
_UNESCAPED: Final = {name: char for char, name in _NAMED.items()}
_LAYERS: Final = 4
"""How many encodings one over the other the second look undoes."""


class Hider:
    """Hide some values in texts."""

    def __init__(self, values: Iterable[str]) -> None:
        """Take the values. An empty one is left out."""
        # Of two values that begin alike, the longer one is hidden whole.
        self._values = sorted({value for value in values if value}, key=lambda value: (-len(value), value))
        self._pattern = re.compile("|".join(map(_pattern, self._values)) or r"(?!)")

    def hide(self, text: str) -> str:
        """Return `text` with `MASK` in place of each value."""
        masked = self._pattern.sub(MASK, text)
        for runs in (_BASE64, _HEX):
            masked = runs.sub(lambda run: MASK if self._holds(run[0]) else run[0], masked)
        return MASK if self.shows(masked) else masked

    def shows(self, text: str) -> bool:
        """Tell whether `text` still shows a value, under encodings that are undone one after the other."""
        layers = {text}
        for _ in range(_LAYERS):
            layers |= {undone for layer in layers for undone in _undone(layer)}
        return self._shows(layers)

    def _holds(self, run: str) -> bool:
        return any(self._pattern.search(decoded) for decoded in _decoded(run))

    def _shows(self, texts: Iterable[str]) -> bool:
        return any(value in text for text in texts for value in self._values)


def _pattern(value: str) -> str:
    return "".join(_character(char) for char in value)


def _character(char: str) -> str:
    """Return the pattern of one character, in all of its forms."""
    encoded = char.encode("utf-8", "surrogatepass")
    percent = "".join(f"%(?:25)*{_either_case(f'{byte:02x}')}" for byte in encoded)
    units = char.encode("utf-16-be", "surrogatepass").hex()
    escaped = "".join(f"{_BACKSLASH}+u{_either_case(units[start : start + 4])}" for start in range(0, len(units), 4))
    forms = [f"{_BACKSLASH}*(?:{re.escape(char)}|{percent})", escaped]
    if char in _NAMED:
        forms.append(f"{_BACKSLASH}+{_NAMED[char]}")
    if char == " ":
        forms.append(r"\+")
    return f"(?:{'|'.join(forms)})"


def _either_case(digits: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)


def _decoded(run: str) -> Iterator[str]:
    """Yield what digits of base64 or of hexadecimal numbers stand for, wherever in the run they begin."""
    plain = run.rstrip("=").translate({ord("-"): "+", ord("_"): "/"})
    for start in range(4):
        part = plain[start:]
        part = part[: len(part) - (len(part) % 4 == 1)]
        with_padding = part + "=" * (-len(part) % 4)
        yield base64.b64decode(with_padding).decode("utf-8", "replace")
    if _HEX.fullmatch(run):
        for start in range(2):
            digits = run[start:]
            yield binascii.unhexlify(digits[: len(digits) // 2 * 2]).decode("utf-8", "replace")


def _undone(text: str) -> Iterator[str]:
    """Yield the text with each encoding undone once."""
    yield unquote_to_bytes(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")
    yield text.replace("+", " ")
    for escapes in _ESCAPES:
        yield _joined(escapes.sub(lambda found: _unescape(found[1]), text))
    for runs in (_BASE64, _HEX):
        for run in runs.finditer(text):
            yield from _decoded(run[0])


def _unescape(escape: str) -> str:
    return chr(int(escape[1:], 16)) if len(escape) == 5 else _UNESCAPED.get(escape, escape)


def _joined(text: str) -> str:
    """Return the text with the two halves of a character, which JSON escapes one by one, as one."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
