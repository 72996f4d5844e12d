"""Read the statements of the `.sql` files in this folder and below it, as one of the two databases takes them.

A statement begins at `-- name: …`. `-- name: … (postgresql)` begins the text of one database alone, with a comment that
says why. `:name` is a parameter; `{list}` stands for columns of `columns.sql`. (Decision 0034.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from inspect import get_annotations
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

Database = Literal["sqlite", "postgresql"]

HERE: Final = Path(__file__).parent
_HEAD: Final = re.compile(r"^-- (?:name|columns): (\w+)(?: \((sqlite|postgresql)\))?$", re.MULTILINE | re.ASCII)
_PIECE: Final = re.compile(
    r"""'(?:[^']|'')*' | "[^"]*" | ::                        # texts, quoted names and casts stay as they are
    | \s*--[^\n]*                                            # a comment goes
    | :(?P<parameter>\w+) | \{(?P<before>:|\w+\.)?(?P<columns>\w+)\}""",
    re.VERBOSE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """Hold a driver's text, and the names of its arguments in order."""

    text: str
    names: tuple[str, ...]

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """Put the values of one run in order."""
        # Every statement runs this: `map` fetches without a turn of Python's machine for each value.
        return list(map(values.__getitem__, self.names))


class Statements:
    """Hold the statements of one file as attributes. A subclass declares each: a misspelt one fails at the start."""

    file: ClassVar[str]

    def __init_subclass__(cls, file: str) -> None:
        """Say which file, without `.sql`."""
        cls.file = file

    def __init__(self, database: Database) -> None:
        """Read the file for `database`. A declaration that has a default may be missing there.

        Raises:
            LookupError: the declarations and the file differ.
        """
        found, declared = read(self.file, database), get_annotations(type(self))
        needed = {name for name in declared if name not in vars(type(self))}
        if not needed <= found.keys() <= declared.keys():
            raise LookupError(f"{self.file}.sql and its declarations differ: {sorted(found.keys() ^ declared.keys())}")
        vars(self).update(found)


def files() -> list[str]:
    """Return the names of all files with statements, as `read` takes them."""
    found = (path.relative_to(HERE).with_suffix("").as_posix() for path in HERE.rglob("*.sql"))
    return sorted(name for name in found if name != "columns")


def read(file: str, database: Database) -> dict[str, Statement]:
    """Read each statement of a file by its name."""
    made: dict[str, Statement] = {}
    for name, only, body in _parts(file):
        if only in {None, database}:
            if name in made:
                raise LookupError(f"{file}.sql has two statements {name}")
            made[name] = _statement(body, database)
    return made


def _statement(body: str, database: Database) -> Statement:
    names: list[str] = []

    def place(name: str) -> str:
        if database == "sqlite" or name not in names:
            names.append(name)
        return "?" if database == "sqlite" else f"${names.index(name) + 1}"

    def driven(piece: re.Match[str]) -> str:
        parameter, before, listed = piece.groups()
        if parameter:
            return place(parameter)
        if listed:
            return ", ".join(place(each) if before == ":" else f"{before or ''}{each}" for each in columns()[listed])
        return "" if piece[0].lstrip().startswith("--") else piece[0]

    text = _PIECE.sub(driven, body).strip().removesuffix(";")
    return Statement(text, tuple(names))


@cache
def columns() -> dict[str, list[str]]:
    """Read the lists of columns by their names."""
    return {name: re.findall(r"\w+", body) for name, _, body in _parts("columns")}


def _parts(file: str) -> Iterator[tuple[str, str | None, str]]:
    _, *parts = _HEAD.split((HERE / f"{file}.sql").read_text("utf-8"))
    yield from zip(parts[::3], parts[1::3], parts[2::3], strict=True)
