"""MySQL's lexical rules as far as skipping needs them: comments, quoted texts, the ends of statements.

Not known here: what any statement does.
"""

from __future__ import annotations

import re
from typing import Final

from menshen.adapters.importing.mysqldump.literals import ROUNDS, inside_end
from menshen.adapters.importing.mysqldump.window import DumpError, Window

AHEAD: Final = 64 * 1024
"""How much of a statement must be in sight to tell what it is."""

_BLANK: Final = re.compile(rb"\s*")
_FEW: Final = b"{0,16}"
"""Escapes of a text that is passed over together with others: their rounds count within the rounds of `_JUNK`."""

# Neither the end of a statement nor a comment. It stops at a text with many escapes, or without an end in sight.
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
    """A dump between two statements. `delimiter` ends a statement, as the client's command DELIMITER says.

    `cut` tells at the end of the dump whether its program signs its work with a last line, which is not there.
    """

    def __init__(self, window: Window) -> None:
        """Read `window`."""
        self.window = window
        self.delimiter = b";"
        self.cut = False

    def to_statement(self) -> bool:
        """Go to the next statement's first word; False at the end of the dump."""
        while True:
            self.window.see(AHEAD)
            self.window.take(after_blank(self.window.buffer, self.window.pos))
            if self.window.pos < len(self.window.buffer):
                if not self._comment():
                    return True
            elif not self.window.more():
                return False

    def skip(self) -> None:
        """Take the rest of a statement, whatever it is. Raises DumpError when it does not end."""
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
            elif not self._comment() and _after_junk(window.buffer, window.pos) == window.pos and not window.more():
                raise DumpError(window.line, "the dump ends in the middle of a statement: it was cut")

    def see_statement(self) -> int:
        """Have the whole statement in sight that begins here; the place behind its `;`. Raises DumpError."""
        while (end := _statement_end(self.window.buffer, self.window.pos)) is None:
            if not self.window.more():
                raise DumpError(self.window.line, "the dump ends in the middle of this statement: it was cut")
        return end

    def _comment(self) -> bool:
        """Take the comment that begins here, if one does. What stands in `/*! … */` is no comment: MySQL runs it."""
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
        """Take a quoted text or name that begins here, however long it is."""
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
    """The first place from `pos` on that is not white space."""
    blank = _BLANK.match(buffer, pos)
    return blank.end() if blank else pos


def _after_junk(buffer: bytes, pos: int) -> int:
    while (junk := _JUNK.match(buffer, pos)) and junk.end() > pos:
        pos = junk.end()
    return pos


def _statement_end(buffer: bytes, pos: int) -> int | None:
    """Behind the `;` of the statement that begins at `pos`, None when that is not in sight."""
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
