"""Read a mysqldump as a stream: bytes in, rows out. Memory holds no more than a window and the row in it.

It reads dumps of mysqldump and mariadb-dump, and those of phpMyAdmin and others in the same language: `CREATE TABLE`
for the order of the columns, `INSERT … VALUES (…),(…);` for the rows. What may follow the last row is skipped. All else
is skipped by MySQL's own lexical rules, so that a text which looks like a statement is never taken for one.
Must not know the meaning of tables. No message quotes the dump.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from menshen.adapters.importing.mysqldump.lexing import Script, after_blank
from menshen.adapters.importing.mysqldump.literals import NAME, next_value, plain_name, plain_value, quoted_end
from menshen.adapters.importing.mysqldump.window import DumpError, Window

_TABLE: Final = rb"(?:" + NAME + rb"\s*\.\s*)?(?P<table>" + NAME + rb")"
_CREATE: Final = re.compile(
    rb"CREATE\s+(?:TEMPORARY\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?" + _TABLE + rb"\s*\(", re.IGNORECASE
)
_INSERT: Final = re.compile(
    rb"(?:INSERT|REPLACE)\s+(?:(?:LOW_PRIORITY|DELAYED|HIGH_PRIORITY|IGNORE)\s+)*(?:INTO\s+)?" + _TABLE, re.IGNORECASE
)
_HEAD: Final = re.compile(rb"\s*(?:\((?P<columns>[^()]*)\)\s*)?VALUES?\s*(?=\()", re.IGNORECASE)
_TAIL: Final = re.compile(rb"(?:AS|ON|RETURNING)(?=[\s`\"/])", re.IGNORECASE)
"""What may stand behind the last row: `AS new`, `ON DUPLICATE KEY UPDATE`, `ON CONFLICT`, `RETURNING`."""
_SET_NAMES: Final = re.compile(rb"SET\s+NAMES\s+['\"]?(?P<charset>\w+)", re.IGNORECASE)
_DELIMITER: Final = re.compile(rb"DELIMITER[ \t]+(?P<mark>\S+)[^\n]*\n?", re.IGNORECASE)
_UTF8: Final = frozenset({b"utf8", b"utf8mb3", b"utf8mb4", b"binary", b"ascii"})

_PART: Final = re.compile(
    rb"(?:--(?=\s)|#)[^\n]*|/\*.*?\*/|(?P<quote>['\"`])|(?P<name>[^\s'\"`(),]+)|(?P<mark>[(),])", re.DOTALL
)
_MARKS: Final = frozenset({b"(", b")", b","})
_NO_COLUMN: Final = re.compile(
    rb"(?:PRIMARY|KEY|UNIQUE|INDEX|FULLTEXT|SPATIAL|CONSTRAINT|FOREIGN|CHECK|PERIOD)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Table:
    """Hold the columns of a wanted table. It comes before the table's first row and at each change."""

    name: str
    line: int
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """Hold one row: its wanted columns as text, None for NULL. It begins in `line`."""

    table: str
    line: int
    values: Mapping[str, str | None] = field(repr=False)


def read_rows(source: Iterator[bytes], wanted: Mapping[str, Collection[str]]) -> Iterator[Table | Row]:
    """Yield the rows of the `wanted` tables in the dump's order, each with the columns named there.

    Raises:
        DumpError: the dump is cut, damaged, or in an unknown form. All rows before that place were yielded.
    """
    window = Window(source)
    script = Script(window)
    known: dict[str, tuple[str, ...]] = {}
    while script.to_statement():
        if found := _CREATE.match(window.buffer, window.pos):
            name = plain_name(found["table"])
            if name in wanted:
                if name in known:
                    raise DumpError(window.line, f"the table {name} is here twice: dump one database alone")
                known[name] = _columns(script)
                yield Table(name, window.line, known[name])
                window.take(script.see_statement())
                continue
        elif found := _INSERT.match(window.buffer, window.pos):
            name = plain_name(found["table"])
            if name in wanted:
                yield from _rows(script, found.end(), name, known, wanted[name])
                continue
        elif found := _SET_NAMES.match(window.buffer, window.pos):
            if found["charset"].lower() not in _UTF8:
                raise DumpError(window.line, "the dump is not in UTF-8: dump with --default-character-set=utf8mb4")
        elif found := _DELIMITER.match(window.buffer, window.pos):
            script.delimiter = found["mark"]
            window.take(found.end())
            continue
        script.skip()
    if script.cut:
        raise DumpError(window.line, "the dump ends without its last line (Dump completed): it was cut")


def _columns(script: Script) -> tuple[str, ...]:
    """Return the names of the columns of the CREATE TABLE that begins here, in their order."""
    end = script.see_statement()
    names: list[str] = []
    depth, first = 0, False
    for part in _parts(script.window.buffer, script.window.pos, end):
        if part in _MARKS:
            depth += {b"(": 1, b")": -1}.get(part, 0)
            if depth == 0:
                break
            first = depth == 1 and part != b")"
        elif first:
            first = False
            if not _NO_COLUMN.fullmatch(part):
                names.append(plain_name(part))
    return tuple(names)


def _parts(buffer: bytes, pos: int, end: int) -> Iterator[bytes]:
    """Yield the quoted names and the marks between `pos` and `end`, without comments and texts."""
    while part := _PART.search(buffer, pos, end):
        pos = part.end()
        if quote := part["quote"]:
            pos = quoted_end(buffer, pos, quote) + 1
            if quote != b"'":
                yield buffer[part.start() : pos]
        elif found := part["name"] or part["mark"]:
            yield found


def _rows(
    script: Script, head_at: int, name: str, known: dict[str, tuple[str, ...]], wanted: Collection[str]
) -> Iterator[Table | Row]:
    """Read an INSERT of a wanted table to its end. Its column names or VALUES are at `head_at`."""
    window = script.window
    head = _HEAD.match(window.buffer, head_at)
    if head is None:
        raise DumpError(window.line, f"rows of {name} that do not begin with VALUES (")
    if head["columns"] is not None:
        listed: bytes = head["columns"]
        columns = tuple(plain_name(part) for part in _parts(listed, 0, len(listed)) if part not in _MARKS)
        if columns != known.get(name):
            known[name] = columns
            yield Table(name, window.line, columns)
    elif name not in known:
        raise DumpError(window.line, f"rows of {name} before its CREATE TABLE: dump without --no-create-info")
    columns = known[name]
    if not columns:
        raise DumpError(window.line, f"rows of {name}, which has no columns")
    window.take(head.end())
    places = [(column, place) for place, column in enumerate(columns) if column in wanted]
    while True:
        found = _spans(window.buffer, window.pos, len(columns))
        if found is None:
            window.take(after_blank(window.buffer, window.pos))
            if window.begins((b"-", b"#", b"/")) and script.skip_comment():
                continue
            if not window.more():
                raise _damaged(window, name)
            continue
        spans, end = found
        window.take(spans[0].start)
        line = window.line
        try:
            values = {column: plain_value(window.buffer[spans[place]]) for column, place in places}
        except ValueError:
            raise DumpError(
                line, f"a row of {name} that is not UTF-8: dump with --default-character-set=utf8mb4"
            ) from None
        window.take(end)
        ended = _read_mark(script, name)
        yield Row(name, line, values)
        if ended:
            return


def _read_mark(script: Script, name: str) -> bool:
    """Read the mark after a row. Return false after a comma, and true at the end of the statement or at its tail.

    Raises:
        DumpError: none of these is there.
    """
    window = script.window
    if not window.begins((b",", b";")) and not script.to_statement():
        raise _damaged(window, name)
    if window.begins((b",", b";")):
        window.take(window.pos + 1)
        return window.buffer[window.pos - 1] == ord(";")
    if _TAIL.match(window.buffer, window.pos) is None:
        raise _damaged(window, name)
    # What begins with the tail is skipped as any statement is.
    return True


def _damaged(window: Window, name: str) -> DumpError:
    return DumpError(window.line, f"a row of {name} that is cut, damaged or of another shape than its table")


def _spans(buffer: bytes, pos: int, count: int) -> tuple[list[slice], int] | None:
    """Find the slices of the `count` values of the row at `pos`, and the position of what follows it.

    Return None for a row of another shape, or if what follows it is not in the buffer.
    """
    pos = after_blank(buffer, pos)
    if not buffer.startswith(b"(", pos):
        return None
    spans = []
    for behind in b"," * (count - 1) + b")":
        found = next_value(buffer, pos + 1)
        if found is None or buffer[found[1]] != behind:
            return None
        span, pos = found
        spans.append(span)
    end = after_blank(buffer, pos + 1)
    return (spans, end) if end < len(buffer) else None
