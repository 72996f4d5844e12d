"""Describe a plug-in that the settings choose, with its own keys, and mark the fields of a section that choose one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from msgspec import Struct

from menshen.app.plugins import PACKAGES, load_plugin
from menshen.core.delivery.messages import Template
from menshen.core.findings import Finding

IS_PATH: Final = {"is_path": True}
"""`Meta(extra=…)` of a text that is a path: in the settings file it starts at the file's folder."""


def chooses(kind: str, terms: type[Struct] | None = None) -> dict[str, Any]:
    """Return the `Meta(extra=…)` of a field that names plug-ins of `kind`, a key of `menshen.app.plugins.PACKAGES`.

    A text field takes the type, whose own keys then stand beside it as `<type>_<key>`. A field of a tuple takes
    tables with `name`, `type`, the keys of `terms`, which all types share, and the type's own keys.
    """
    return {"chooses": kind, "terms": terms}


@dataclass(frozen=True, slots=True)
class Chosen:
    """Hold one plug-in: the package and the file of its type, and its name in logs.

    `place` is what stands before one of its keys in a sentence. `settings` is of the file's own `Settings`, None where
    the section is at its default. `terms` holds the keys that all types share, None outside of a table.
    """

    package: str
    type: str
    name: str
    place: str
    settings: Struct | None = None
    terms: Any = None

    def __str__(self) -> str:
        """Give the type, as it is written in the settings."""
        return self.type

    def build(self, outward: Any) -> Any:
        """Import the file and make the adapter, which calls others through `outward` only."""
        plugin = load_plugin(self.package, self.type)
        return plugin.build(self.settings or plugin.Settings(), outward)

    def serves(self, template: Template) -> bool:
        """Tell whether it sends such messages. A type that keeps no templates sends all of them."""
        serves = getattr(self.settings, "serves", None)
        return serves is None or serves(template)

    @property
    def repeatable(self) -> bool:
        """Tell whether the receiver drops a message that it has already. Imports the file of the type."""
        return bool(getattr(load_plugin(self.package, self.type).Settings, "repeatable", False))

    def find_problems(self) -> Iterator[Finding]:
        """Find what the type says about its own keys, each with its place."""
        find = getattr(self.settings, "find_problems", None)
        for finding in find() if find else ():
            yield replace(finding, key=f"{self.place}{finding.key}")


def outbox_of(kind: str) -> Chosen:
    """Return what the section of `kind` chooses when it says nothing."""
    return Chosen(PACKAGES[kind], "outbox", "outbox", f"[{kind}] outbox_")
