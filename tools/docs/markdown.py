"""Write Markdown: tables, names in backticks, spans of time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from menshen.core.time import DAY, HOUR, MINUTE, SECOND

_UNITS: Final = ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s"))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table. A cell is Markdown; line breaks in it become blanks, and bars are escaped."""
    lines = [heads, ["---"] * len(heads), *rows]
    return (
        "".join("| " + " | ".join(map(_cell, line)) + " |\n" for line in lines)
        .replace("| --- ", "|---")
        .replace("|--- |", "|---|")
    )


def code(name: object) -> str:
    """Write a name in backticks."""
    return f"`{name}`"


def codes(names: Iterable[object]) -> str:
    """Write names in backticks, with blanks between them."""
    return " ".join(map(code, names))


def duration(ms: int) -> str:
    """Write a span of time in the largest unit that divides it: `30 d`, `90 s`."""
    for unit, name in _UNITS:
        if ms and ms % unit == 0:
            return f"{ms // unit} {name}"
    return f"{ms} ms"


def number(value: int) -> str:
    """Write a number with commas between its thousands."""
    return f"{value:,}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")
