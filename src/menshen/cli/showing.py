"""How answers look: aligned columns for people, JSON for programs."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from menshen.core.time import Instant


def show_json(value: object) -> None:
    """One line of JSON, in which a stored text cannot move a terminal's cursor either."""
    print(_escaped(json.dumps(value, ensure_ascii=False, default=str)), flush=True)


def show_record(record: Mapping[str, Any], *, as_json: bool) -> None:
    """One thing, a line for each of its fields."""
    if as_json:
        show_json(record)
        return
    width = max(map(len, record), default=0)
    for name, value in record.items():
        print(f"{name:<{width}}  {_text(value)}".rstrip())


def show_table(rows: Sequence[Mapping[str, Any]], *, as_json: bool, nothing: str) -> None:
    """Many things, a line each under a line of headings; `nothing` when there is none."""
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
    """ISO 8601 in UTC, None for never."""
    if not at:
        return None
    return f"{datetime.fromtimestamp(at // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{at % 1000:03}Z"


def _escaped(text: str) -> str:
    """JSON with whatever does not print as JSON's own escapes; such characters stand in its strings only."""
    return text if text.isprintable() else "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def _text(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    # A stored text must not be able to move a terminal's cursor.
    return "".join(c if c.isprintable() else "�" for c in str(value))


def _width(text: str) -> int:
    """Columns on a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
