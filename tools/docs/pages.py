"""Find the marked places of the pages, and fill them from the tables."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.docs import tables

ROOT: Final = Path(__file__).parents[2]

_MARK: Final = re.compile(r"<!-- (?:begin: (?P<name>[a-z-]+)|end) -->\n")


class MarkError(Exception):
    """Tell that the marks of a page are broken, or name a table that does not exist."""


@dataclass(frozen=True, slots=True)
class Page:
    """Hold a page as it is (`text`) and as the code wants it (`wanted`). `name` is its path from the root."""

    name: str
    text: str
    wanted: str


def pages() -> Iterator[Page]:
    """Read and fill every Markdown page of the repository's root and of `docs`.

    Raises:
        MarkError: a page cannot be filled.
    """
    for path in [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]:
        name, text = path.relative_to(ROOT).as_posix(), path.read_text("utf-8")
        try:
            yield Page(name, text, fill(text))
        except MarkError as error:
            raise MarkError(f"{name}: {error}") from None


def differing(found: Iterable[Page]) -> list[Page]:
    """Give the pages whose tables are not those of the code."""
    return [page for page in found if page.text != page.wanted]


def write(page: Page) -> None:
    """Write the page as the code wants it."""
    (ROOT / page.name).write_text(page.wanted, "utf-8")


def fill(text: str) -> str:
    """Give the text of a page with every marked place filled.

    Raises:
        MarkError: the marks do not pair up, or no table has the name.
    """
    parts: list[str] = []
    begun, position = "", 0
    for mark in _MARK.finditer(text):
        name = mark["name"]
        if bool(name) == bool(begun):
            raise MarkError(f"the mark `{mark[0].strip()}` has no partner")
        if name:
            parts.append(text[position : mark.end()])
        else:
            parts += ["\n", render(begun), "\n", mark[0]]
        begun, position = name or "", mark.end()
    if begun:
        raise MarkError(f"`<!-- begin: {begun} -->` has no end")
    return "".join([*parts, text[position:]])


def marked(text: str) -> list[str]:
    """Give the names of the tables that a page holds."""
    return [mark["name"] for mark in _MARK.finditer(text) if mark["name"]]


def names() -> list[str]:
    """Give the names of all tables."""
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(tables.__path__))


def render(name: str) -> str:
    """Write the table of that name.

    Raises:
        MarkError: no table has the name.
    """
    if name not in names():
        raise MarkError(f"no table is called {name}; there are {', '.join(names())}")
    made: str = importlib.import_module(f"{tables.__name__}.{name.replace('-', '_')}").render()
    return made.rstrip("\n") + "\n"
