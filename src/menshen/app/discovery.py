"""Dialects by name: every package under `menshen.dialects` that holds a `DIALECT`."""

from __future__ import annotations

import importlib
import pkgutil

import menshen.dialects
from menshen.http.dialect import Dialect


def find_dialects() -> tuple[Dialect, ...]:
    """All of them, by name."""
    found = []
    for module in sorted(pkgutil.iter_modules(menshen.dialects.__path__), key=lambda m: m.name):
        dialect = getattr(importlib.import_module(f"menshen.dialects.{module.name}"), "DIALECT", None)
        if isinstance(dialect, Dialect):
            found.append(dialect)
    return tuple(found)
