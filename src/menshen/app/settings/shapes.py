"""Read what the fields of a section say about its keys: which are secret, which are paths, which choose a plug-in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Meta, Struct

from menshen.app.plugins import load_plugin, names_in
from menshen.app.settings.chosen import Chosen
from menshen.core.secret import Secret


@dataclass(frozen=True, slots=True)
class Key:
    """Describe one key of a section or of a plug-in.

    `type` is without annotations, `annotated` with them. `default` is NODEFAULT where there is none that can be shown.
    `chooses` is a kind of plug-in, or "". `terms` holds the keys that all plug-ins of the kind share in tables.
    """

    name: str
    type: Any
    annotated: Any
    description: str
    required: bool
    default: Any
    chooses: str
    terms: type[Struct] | None
    is_path: bool

    @property
    def is_secret(self) -> bool:
        """Tell whether the value is hidden, and may stand in a file of its own."""
        return self.type is Secret

    @property
    def is_text(self) -> bool:
        """Tell whether the environment gives it as it is, not as JSON."""
        return self.type in {str, Secret, Chosen} or get_origin(self.type) is Literal

    @property
    def chooses_one(self) -> bool:
        """Tell whether it takes the type of one plug-in."""
        return bool(self.chooses) and self.type is Chosen

    @property
    def chooses_many(self) -> bool:
        """Tell whether it takes tables of plug-ins."""
        return bool(self.chooses) and self.type is not Chosen

    @property
    def table(self) -> type[Struct] | None:
        """Return the record of its values where it maps texts to tables, else None."""
        inner = get_args(self.type)[1] if get_origin(self.type) is dict else None
        return inner if isinstance(inner, type) and issubclass(inner, Struct) else None


@cache
def keys_of(record: type[Struct]) -> Mapping[str, Key]:
    """Return the keys of a section, or of a plug-in's `Settings`, by their names."""
    return {field.encode_name: _key(field) for field in msgspec.structs.fields(record)}


def _key(field: msgspec.structs.FieldInfo) -> Key:
    metas: list[Meta] = []
    plain = field.type
    if get_origin(plain) is Annotated:
        plain, *metas = get_args(plain)
    extra = {key: value for meta in metas for key, value in (meta.extra or {}).items()}
    return Key(
        name=field.encode_name,
        type=plain,
        annotated=field.type,
        description=next((meta.description for meta in metas if meta.description), ""),
        required=field.required,
        default=field.default if field.default_factory is NODEFAULT else field.default_factory(),
        chooses=extra.get("chooses", ""),
        terms=extra.get("terms"),
        is_path=extra.get("is_path", False),
    )


class Beside(NamedTuple):
    """Hold the parts of a key that is written as `<type>_<key>`: of which type of which kind of plug-in it is."""

    kind: str
    type: str
    key: str


@dataclass(frozen=True, slots=True)
class Shapes:
    """Look up the keys of sections, those of the plug-ins among them. `packages` holds the package of each kind."""

    packages: Mapping[str, str]

    def find(self, record: type[Struct], name: str) -> Key | None:
        """Return the key of a section by its name, also one of a plug-in that stands beside."""
        beside = self.beside(record, name)
        if beside is None:
            return keys_of(record).get(name)
        return keys_of(self.settings_of(beside.kind, beside.type)).get(beside.key)

    def beside(self, record: type[Struct], name: str) -> Beside | None:
        """Split a key of a plug-in that stands beside the choice of it; None for any other name."""
        if name in keys_of(record):
            return None
        for chooser in keys_of(record).values():
            if chooser.chooses_one:
                types = [one for one in names_in(self.packages[chooser.chooses]) if name.startswith(f"{one}_")]
                if types:
                    longest = max(types, key=len)
                    return Beside(chooser.chooses, longest, name.removeprefix(f"{longest}_"))
        return None

    def settings_of(self, kind: str, plugin_type: str) -> type[Struct]:
        """Return the `Settings` of a type, whose file is imported. Raises UnknownPluginError."""
        return load_plugin(self.packages[kind], plugin_type).Settings
