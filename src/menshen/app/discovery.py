"""Find dialects by name: each is a package under `menshen.wire` that holds a `DIALECT`. There is no list to edit.

It knows no settings. (Decision 0038.)
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterable, Sequence
from typing import Final

import menshen

# Dialects import structlog: a command that shows them has no use for rich.
import menshen.app.structured
import menshen.wire
from menshen.wire import probes
from menshen.wire.dialect import Dialect
from menshen.wire.probes.docs_page import Json

SPECIMEN: Final = "specimen"
"""The dialect to copy. It is not imported, and not served, unless the settings or a caller name it."""

PROBES: Final = "probes"
"""The name of the document of what belongs to no dialect. The package of that name is none."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)


class UnknownDialectError(LookupError):
    """Report that no dialect has this name. The text is one sentence, with the names of the existing dialects."""

    def __init__(self, name: str) -> None:
        """Take the name that was asked for."""
        super().__init__(f"{name!r} is no dialect; there are {', '.join(dialect_names())}")


def find_dialects(names: Sequence[str] = ()) -> tuple[Dialect, ...]:
    """Return the dialects of these names, in their order. Without names: all but the specimen, sorted by name.

    Only the returned dialects stay imported because of this call. So a dialect that is not named costs nothing.

    Raises:
        UnknownDialectError: a name has no package, or its package holds no dialect.
    """
    if not names:
        found = (_dialect(name) for name in _packages() if name != SPECIMEN)
        return tuple(dialect for dialect in found if dialect is not None)
    chosen = []
    for name in names:
        dialect = _dialect(name) if name in _packages() else None
        if dialect is None:
            raise UnknownDialectError(name)
        chosen.append(dialect)
    return tuple(chosen)


def dialect_names() -> tuple[str, ...]:
    """Return the name of every dialect that is there, the specimen's too, sorted. It imports all of them."""
    return tuple(name for name in _packages() if _dialect(name) is not None)


def document_names(dialects: Iterable[Dialect]) -> tuple[str, ...]:
    """Return the names of the documents of these dialects, and of what belongs to none."""
    return (*(dialect.name for dialect in dialects if dialect.openapi is not None), PROBES)


def openapi_documents(names: Sequence[str] = ()) -> dict[str, Json]:
    """Return the OpenAPI 3.1 documents of the dialects of these names (as in `find_dialects`), and of the probes.

    A dialect that OpenAPI cannot describe has none. `menshen routes` shows its calls.

    Raises:
        UnknownDialectError: as `find_dialects`.
    """
    made = {
        dialect.name: dialect.openapi(menshen.__version__)
        for dialect in find_dialects(names)
        if dialect.openapi is not None
    }
    return made | {PROBES: probes.document(menshen.__version__)}


def _packages() -> list[str]:
    found = pkgutil.iter_modules(menshen.wire.__path__)
    return sorted(module.name for module in found if module.ispkg and _NAME.fullmatch(module.name))


def _dialect(name: str) -> Dialect | None:
    """Import a package under `menshen.wire`; None when it holds no dialect."""
    dialect = getattr(importlib.import_module(f"menshen.wire.{name}"), "DIALECT", None)
    return dialect if isinstance(dialect, Dialect) else None
