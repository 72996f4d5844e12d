"""Print results: aligned columns for people, JSON for programs."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from menshen.core.time import Instant


def show_json(value: object) -> None:
    """Print `value` as one line of JSON."""
    print(as_shown_json(value), flush=True)


def as_shown_json(value: object, *, indent: int | None = None) -> str:
    """Return `value` as JSON for people's eyes too: stored text in it cannot move a terminal's cursor."""
    lines = json.dumps(value, ensure_ascii=False, default=str, indent=indent).split("\n")
    return "\n".join(_escaped(line) for line in lines)


def show_record(record: Mapping[str, Any], *, as_json: bool) -> None:
    """Print one record, a line for each field."""
    if as_json:
        show_json(record)
        return
    width = max(map(len, record), default=0)
    for name, value in record.items():
        print(f"{name:<{width}}  {_text(value)}".rstrip())


def show_table(rows: Sequence[Mapping[str, Any]], *, as_json: bool, nothing: str) -> None:
    """Print a table with a heading and a line for each row, or the text `nothing` when there are no rows."""
    if as_json:
        show_json(rows)
        return
    if not rows:
        print(nothing)
        return
    lines = [list(rows[0]), *([_text(value) for value in row.values()] for row in rows)]
    widths = [max(_width(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        padded = (cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True))
        print("  ".join(padded).rstrip())


def instant(at: Instant) -> str | None:
    """Return a time in ISO 8601 (UTC), or None for never (0)."""
    if not at:
        return None
    return f"{datetime.fromtimestamp(at // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{at % 1000:03}Z"


def _escaped(text: str) -> str:
    """Return JSON with unprintable characters as JSON's own escapes. Such characters are in its strings only."""
    return text if text.isprintable() else "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def _text(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    # Stored text must not move a terminal's cursor.
    return "".join(c if c.isprintable() else "�" for c in str(value))


def _width(text: str) -> int:
    """Count the columns of `text` on a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
