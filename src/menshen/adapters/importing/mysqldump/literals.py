"""Match and decode the values and names in a dump.

Must not know their place in a statement.
"""

from __future__ import annotations

import re
from typing import Final

ROUNDS: Final = b"{0,1024}"
"""Maximum repeats of a group in a pattern: `re` keeps some 170 bytes for each repeat until the match ends.

A possessive repeat keeps none, but Python before 3.11.5 matches some of them wrongly, so none is used anywhere.
"""

_PREFIX: Final = rb"(?:_[A-Za-z0-9]+\s*|[xXbBnN])?"
_BARE: Final = rb"_[A-Za-z0-9]+\s+0x[0-9A-Fa-f]+|[-+.0-9A-Za-z_]+"
_TEXT: Final = rb"'[^'\\]*(?:(?:\\.|'')[^'\\]*)" + ROUNDS + rb"'(?!')"
_SHORT: Final = re.compile(rb"\s*(" + _PREFIX + _TEXT + rb"|" + _BARE + rb")\s*[,)]", re.DOTALL)
_OPENED: Final = re.compile(rb"\s*(" + _PREFIX + rb"')")
_CLOSED: Final = re.compile(rb"'\s*[,)]")
_INSIDE: Final = {
    mark: re.compile(rb"[^%b\\]*(?:\\.[^%b\\]*)" % (mark, mark) + ROUNDS, re.DOTALL) for mark in (b"'", b'"')
} | {b"`": re.compile(rb"[^`]*")}

NAME: Final = (
    rb"(?:`(?:[^`]|``)[^`]*(?:``[^`]*)"
    + ROUNDS
    + rb'`(?!`)|"(?:[^"]|"")[^"]*(?:""[^"]*)'
    + ROUNDS
    + rb'"(?!")|[A-Za-z0-9_$\x80-\xff]+)'
)
"""A table or column."""

_ESCAPE: Final = re.compile(rb"\\(.)|''", re.DOTALL)
_ESCAPED: Final = {
    b"0": b"\0",
    b"b": b"\b",
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"Z": b"\x1a",
    # MySQL leaves these two unchanged, because LIKE needs them.
    b"%": b"\\%",
    b"_": b"\\_",
}


def inside_end(buffer: bytes, pos: int, mark: bytes) -> int:
    """Find the end of the text in the buffer between two `mark`s (`'`, `"` or a backtick), from `pos` on.

    At that position is the closing mark, a lone backslash at the end of the buffer, or the end of the buffer.
    """
    while (found := _INSIDE[mark].match(buffer, pos)) and found.end() > pos:
        pos = found.end()
    return pos


def quoted_end(buffer: bytes, pos: int, mark: bytes) -> int:
    """Find the closing `mark` of a text that begins at `pos`. A doubled mark is part of the text.

    Without a closing mark in the buffer, return the buffer's end or the position of a lone backslash there.
    """
    while buffer.startswith(mark * 2, pos := inside_end(buffer, pos, mark)):
        pos += 2
    return pos


def next_value(buffer: bytes, pos: int) -> tuple[slice, int] | None:
    """Find the next value: a number, NULL, or a text, also as hex, as bits, or with its character set before it.

    Return its slice and the position of the comma or bracket after it. Return None if there is no value, or its end is
    not in the buffer.
    """
    if short := _SHORT.match(buffer, pos):
        return slice(*short.span(1)), short.end() - 1
    opened = _OPENED.match(buffer, pos)
    if opened is None:
        return None
    end = quoted_end(buffer, opened.end(), b"'")
    closed = _CLOSED.match(buffer, end)
    return (slice(opened.start(1), end + 1), closed.end() - 1) if closed else None


def plain_name(name: bytes) -> str:
    """Return a name without its quotes."""
    mark = name[:1]
    if mark in {b"`", b'"'}:
        name = name[1:-1].replace(mark * 2, mark)
    return name.decode("utf-8", "replace")


def plain_value(value: bytes) -> str | None:
    """Return the text of a value that `next_value` found, or None for NULL.

    Raises:
        ValueError: the value is not UTF-8.
    """
    if value[0] == 0x27:
        return _unquoted(value)
    if value[0] in b"123456789" or value == b"0":
        return value.decode()
    if value.upper() == b"NULL":
        return None
    if value[0] == 0x5F:
        value = value[value.index(b"'") :] if b"'" in value else value.split()[1]
    kind = value[:2].lower()
    if kind == b"0x":
        digits = value[2:].decode()
        return bytes.fromhex("0" * (len(digits) % 2) + digits).decode()
    if kind == b"x'":
        return bytes.fromhex(value[2:-1].decode()).decode()
    if kind == b"b'":
        return str(int(value[2:-1] or b"0", 2))
    if kind == b"n'":
        return _unquoted(value[1:])
    return _unquoted(value) if value[0] == 0x27 else value.decode()


def _unquoted(value: bytes) -> str:
    inner = value[1:-1]
    if b"\\" in inner or b"'" in inner:
        inner = _ESCAPE.sub(_unescaped, inner)
    return inner.decode()


def _unescaped(found: re.Match[bytes]) -> bytes:
    letter = found[1]
    return b"'" if letter is None else _ESCAPED.get(letter, letter)
