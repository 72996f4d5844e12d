"""Find the dialects: every package under `menshen.wire` that holds a `DIALECT`."""

from __future__ import annotations

import importlib
import pkgutil

import menshen
import menshen.wire
from menshen.wire.dialect import Dialect
from menshen.wire.probes.docs_page import Json


def find_dialects() -> tuple[Dialect, ...]:
    """Return all dialects, sorted by name."""
    found = []
    for module in sorted(pkgutil.iter_modules(menshen.wire.__path__), key=lambda m: m.name):
        dialect = getattr(importlib.import_module(f"menshen.wire.{module.name}"), "DIALECT", None)
        if isinstance(dialect, Dialect):
            found.append(dialect)
    return tuple(found)


def openapi_document() -> Json:
    """Return the OpenAPI document of weidu.

    OpenAPI cannot describe CareyShop's one path with many methods. `menshen routes` and its contract describe them.
    """
    make = importlib.import_module("menshen.wire.weidu.openapi").openapi
    document: Json = make("Menshen: the weidu users API", menshen.__version__)
    return document
