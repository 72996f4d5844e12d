"""Documents as tests read them: sections, tables, names in backticks, and whether what they name is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_CODE = re.compile(r"`([^`]+)`")
_FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")

Row = dict[str, str]


@cache
def text_of(path: str) -> str:
    """A file of the repository."""
    return (ROOT / path).read_text("utf-8")


def section(text: str, heading: str) -> str:
    """What stands below a heading of the second rank, up to the next."""
    _, found, rest = text.partition(f"\n## {heading}\n")
    assert found, heading
    return rest.partition("\n## ")[0]


def tables(text: str) -> list[list[Row]]:
    """Every table of a text, as rows by the names of its columns."""
    found: list[list[Row]] = []
    lines = [*text.splitlines(), ""]
    heads: list[str] = []
    rows: list[Row] = []
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if not line.startswith("|"):
            if heads:
                found.append(rows)
            heads, rows = [], []
        elif not heads:
            assert re.fullmatch(r"[|\-: ]+", below), line
            heads = _cells(line)
        elif not re.fullmatch(r"[|\-: ]+", line):
            cells = _cells(line)
            assert len(cells) == len(heads), line
            rows.append(dict(zip(heads, cells, strict=True)))
    return found


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def without_fences(text: str) -> str:
    """Leave the fenced blocks out: their backticks pair with nothing, and examples are no names."""
    return _FENCE.sub("", text)


def names_in(text: str) -> list[str]:
    """What stands in backticks."""
    return _CODE.findall(text)


def links_in(text: str) -> list[str]:
    """Where the links of a text lead."""
    return _LINK.findall(text)


@cache
def anchors_of(path: str) -> frozenset[str]:
    """The anchors that a Markdown file has, as they are made of its headings."""
    heads = _HEADING.findall(text_of(path))
    return frozenset(re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads)


@cache
def _functions(path: str) -> frozenset[str]:
    tree = ast.parse(text_of(path))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def missing(reference: str, *, beside: str = "") -> str:
    """Why a reference leads nowhere, "" when it is good.

    `FILE::test_y`, a path of the repository, or a link of the document `beside`: a path from its folder, with an
    anchor or without, or an anchor alone.
    """
    path, _, name = reference.partition("::")
    if name:
        if not (ROOT / path).is_file():
            return f"{path} is not there"
        good = name.startswith("test_") and name in _functions(path)
        return "" if good else f"{path} has no test {name}"
    file, _, anchor = reference.partition("#")
    folder = (ROOT / beside).parent if beside else ROOT
    target = (folder / file) if file else ROOT / beside
    if not target.exists():
        return f"{file} is not there"
    where = target.resolve().relative_to(ROOT).as_posix()
    return f"{where} has no #{anchor}" if anchor and anchor not in anchors_of(where) else ""
