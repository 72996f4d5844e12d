"""Skip statements by MySQL's lexical rules: comments, quoted texts, the ends of statements.

Must not know the meaning of statements.
"""

from __future__ import annotations

import re
from typing import Final

from menshen.adapters.importing.mysqldump.literals import ROUNDS, inside_end
from menshen.adapters.importing.mysqldump.window import DumpError, Window

AHEAD: Final = 64 * 1024
"""Bytes of a statement that must be in the buffer to recognise it."""

_BLANK: Final = re.compile(rb"\s*")
_FEW: Final = b"{0,16}"
"""Escapes in one text that `_JUNK` skips: the repeats of a text multiply with the repeats of `_JUNK`."""

# Bytes that neither end a statement nor begin a comment. It stops at a text with many escapes, or with its end outside
# of the buffer.
_JUNK: Final = re.compile(
    rb"""[^'"`;#/-]*(?:"""
    rb"""(?:'[^'\\]*(?:\\.[^'\\]*)"""
    + _FEW
    + rb"""'|"[^"\\]*(?:\\.[^"\\]*)"""
    + _FEW
    + rb""""|`[^`]*`|-(?=[^-]|-\S)|/(?=[^*]))[^'"`;#/-]*)"""
    + ROUNDS,
    re.DOTALL,
)
_QUOTES: Final = frozenset({b"'", b'"', b"`"})
_DUMPED: Final = re.compile(rb"-- (?:MySQL|MariaDB) dump ")
_COMPLETED: Final = b"-- Dump completed"


class Script:
    """Walk through the statements of a dump. `delimiter` ends a statement; the client's command DELIMITER sets it.

    At the end of the dump, `cut` is true if the dump program's usual last line is missing.
    """

    def __init__(self, window: Window) -> None:
        """Take the window to read."""
        self.window = window
        self.delimiter = b";"
        self.cut = False

    def to_statement(self) -> bool:
        """Go to the next statement's first word. Return false at the end of the dump."""
        while True:
            self.window.see(AHEAD)
            self.window.take(after_blank(self.window.buffer, self.window.pos))
            if self.window.pos < len(self.window.buffer):
                if not self.skip_comment():
                    return True
            elif not self.window.more():
                return False

    def skip(self) -> None:
        """Skip the rest of a statement. Raises DumpError when it does not end."""
        window = self.window
        if not self.delimiter.startswith(b";"):
            window.take_through(self.delimiter)
            return
        while True:
            if (end := _after_junk(window.buffer, window.pos)) > window.pos:
                window.take(end)
                continue
            window.see(len(self.delimiter))
            first = window.buffer[window.pos : window.pos + 1]
            if window.begins(self.delimiter):
                window.take(window.pos + len(self.delimiter))
                return
            if first == b";":
                window.take(window.pos + 1)
            elif first in _QUOTES:
                self._skip_quoted(first)
            elif not self.skip_comment() and _after_junk(window.buffer, window.pos) == window.pos and not window.more():
                raise DumpError(window.line, "the dump ends in the middle of a statement: it was cut")

    def see_statement(self) -> int:
        """Read the whole statement that begins here into the buffer. Return the position after its `;`.

        Raises DumpError.
        """
        while (end := _statement_end(self.window.buffer, self.window.pos)) is None:
            if not self.window.more():
                raise DumpError(self.window.line, "the dump ends in the middle of this statement: it was cut")
        return end

    def skip_comment(self) -> bool:
        """Skip a comment that begins here, and return true if there was one. MySQL runs the content of `/*! … */`."""
        window = self.window
        window.see(AHEAD)
        buffer, pos = window.buffer, window.pos
        if buffer[pos : pos + 1] == b"#" or (
            buffer[pos : pos + 2] == b"--" and buffer[pos + 2 : pos + 3] in b" \t\r\n\f\v"
        ):
            if _DUMPED.match(buffer, pos):
                self.cut = True
            elif window.begins(_COMPLETED):
                self.cut = False
            window.take_through(b"\n")
            return True
        if window.begins(b"/*!"):
            end = pos + 3
            while buffer[end : end + 1].isdigit():
                end += 1
            window.take(end)
            return True
        if window.begins(b"/*"):
            window.take(pos + 2)
            window.take_through(b"*/")
            return True
        return False

    def _skip_quoted(self, quote: bytes) -> None:
        """Skip a quoted text or name that begins here, of any length."""
        window, line = self.window, self.window.line
        window.take(window.pos + 1)
        while True:
            window.take(inside_end(window.buffer, window.pos, quote))
            if window.begins(quote):
                window.take(window.pos + 1)
                return
            if not window.more():
                raise DumpError(line, "the dump ends in the middle of a quoted text: it was cut")


def after_blank(buffer: bytes, pos: int) -> int:
    """Return the first position from `pos` on that is not white space."""
    blank = _BLANK.match(buffer, pos)
    return blank.end() if blank else pos


def _after_junk(buffer: bytes, pos: int) -> int:
    while (junk := _JUNK.match(buffer, pos)) and junk.end() > pos:
        pos = junk.end()
    return pos


def _statement_end(buffer: bytes, pos: int) -> int | None:
    """Return the position after the `;` of the statement that begins at `pos`, or None if it is not in the buffer."""
    while (pos := _after_junk(buffer, pos)) < len(buffer):
        first = buffer[pos : pos + 1]
        if first == b";":
            return pos + 1
        if first in _QUOTES:
            pos = inside_end(buffer, pos + 1, first) + 1
            continue
        opened = buffer[pos : pos + 2]
        mark = b"*/" if opened == b"/*" else b"\n"
        if opened[:1] not in {b"/", b"#", b"-"} or (found := buffer.find(mark, pos + 2)) < 0:
            return None
        pos = found + len(mark)
    return None
