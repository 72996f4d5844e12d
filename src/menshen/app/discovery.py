"""Dialects by name: every package under `menshen.wire` that holds a `DIALECT`."""

from __future__ import annotations

import importlib
import pkgutil

import menshen
import menshen.wire
from menshen.wire.dialect import Dialect
from menshen.wire.probes.docs_page import Json


def find_dialects() -> tuple[Dialect, ...]:
    """All of them, by name."""
    found = []
    for module in sorted(pkgutil.iter_modules(menshen.wire.__path__), key=lambda m: m.name):
        dialect = getattr(importlib.import_module(f"menshen.wire.{module.name}"), "DIALECT", None)
        if isinstance(dialect, Dialect):
            found.append(dialect)
    return tuple(found)


def openapi_document() -> Json:
    """The OpenAPI document: of the one dialect whose calls that language can tell, weidu's.

    CareyShop's one address with many methods is told by `menshen routes` and its contract.
    """
    make = importlib.import_module("menshen.wire.weidu.openapi").openapi
    document: Json = make("Menshen: the weidu users API", menshen.__version__)
    return document
