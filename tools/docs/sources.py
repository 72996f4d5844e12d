"""Read what the source says and the running program forgets: the docstrings of constants and of enum members."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from enum import Enum
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import menshen

PACKAGE: Final = Path(menshen.__file__).parent


class UndocumentedError(Exception):
    """Tell that something has no docstring, and a table needs it."""


def modules(package: str) -> Iterator[ModuleType]:
    """Import a package and every module below it."""
    root = importlib.import_module(package)
    yield root
    for found in pkgutil.walk_packages(getattr(root, "__path__", ()), f"{package}."):
        yield importlib.import_module(found.name)


def source_files() -> Iterator[tuple[str, str]]:
    """Give every file of the package: its path from `src/menshen`, and its text."""
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).as_posix(), path.read_text("utf-8")


def constant_doc(module: ModuleType, name: str) -> str:
    """Give the docstring below a constant of a module.

    Raises:
        UndocumentedError: there is none.
    """
    docs = _docs_of(_tree(module).body)
    if name not in docs:
        raise UndocumentedError(f"{module.__name__}.{name} needs a docstring below it: a table of the docs shows it")
    return docs[name]


def imported_names(module: ModuleType) -> set[str]:
    """Give the names that a module has from others: they are documented where they are made."""
    found = (node.names for node in _tree(module).body if isinstance(node, ast.ImportFrom))
    return {alias.asname or alias.name for names in found for alias in names}


def member_docs(kind: type[Enum]) -> dict[str, str]:
    """Give the docstring below each member of an enum, by the member's name.

    Raises:
        UndocumentedError: a member has none.
    """
    module = importlib.import_module(kind.__module__)
    (body,) = (
        node.body for node in _tree(module).body if isinstance(node, ast.ClassDef) and node.name == kind.__name__
    )
    docs = _docs_of(body)
    missing = [member.name for member in kind if member.name not in docs]
    if missing:
        raise UndocumentedError(f"{kind.__module__}.{kind.__name__}.{missing[0]} needs a docstring below it")
    return docs


def value_of(dotted: str) -> tuple[ModuleType, str, Any]:
    """Split `package.module.NAME` into its module and name, and give the value."""
    path, _, name = dotted.rpartition(".")
    module = importlib.import_module(path)
    return module, name, getattr(module, name)


@cache
def _tree(module: ModuleType) -> ast.Module:
    assert module.__file__, module
    return ast.parse(Path(module.__file__).read_text("utf-8"))


def _docs_of(body: list[ast.stmt]) -> dict[str, str]:
    """Pair each assignment with the text that stands right below it."""
    found = {}
    for statement, below in pairwise(body):
        target = (
            statement.target if isinstance(statement, ast.AnnAssign)
            else statement.targets[0] if isinstance(statement, ast.Assign)
            else None
        )  # fmt: skip
        if isinstance(target, ast.Name) and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            found[target.id] = " ".join(str(below.value.value).split())
    return found
