"""Find plug-ins by name: the settings name a type, and a file of that name in the kind's package is it.

Listing imports nothing, and loading imports that one file. There is no list to edit. (Decision 0037.)
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol, cast

from msgspec import Struct

PACKAGES: Final[Mapping[str, str]] = {
    "sms": "menshen.adapters.delivery.sms",
    "email": "menshen.adapters.delivery.email",
    "captcha": "menshen.adapters.captcha.vendors",
    "federation": "menshen.adapters.federation",
    "factors": "menshen.adapters.factors",
}
"""The package of each kind of plug-in."""

_TYPE: Final = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)


class UnknownPluginError(Exception):
    """Tell that no plug-in has that name, in a sentence that lists those there are."""


class Plugin(Protocol):
    """Describe what each file of a plug-in offers."""

    @property
    def Settings(self) -> type[Struct]:  # noqa: N802 - the name of a class in the file
        """Give the keys of the type: frozen, refusing unknown ones, each with a description."""
        ...

    def build(self, settings: Any, outward: Any, /) -> Any:
        """Make the adapter. `settings` is of the file's own `Settings`; `outward` makes its HTTP calls."""
        ...


def names_in(package: str) -> tuple[str, ...]:
    """List the types of a kind by the files of its package, sorted."""
    return tuple(
        sorted(
            module.name
            for module in pkgutil.iter_modules(importlib.import_module(package).__path__)
            if _TYPE.fullmatch(module.name)
        )
    )


def load_plugin(package: str, name: str) -> Plugin:
    """Import the file of one type.

    Raises:
        UnknownPluginError: the package has no such file.
    """
    known = names_in(package)
    if name not in known:
        raise UnknownPluginError(f"there is no type {name!r}{near(name, known)}; there are {', '.join(known)}")
    return cast("Plugin", importlib.import_module(f"{package}.{name}"))


def near(name: str, known: Iterable[str]) -> str:
    """Say which of `known` is spelt nearly so: "; did you mean X?", or nothing."""
    close = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]}?" if close else ""
