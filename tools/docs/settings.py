"""Read the settings from their records: each key with its default, its bounds and its description."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final, Literal, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Meta, Struct

from menshen.app.discovery import find_dialects
from menshen.app.plugins import PACKAGES, load_plugin, names_in
from menshen.app.settings.chosen import Chosen
from menshen.app.settings.settings import SECTIONS
from menshen.app.settings.shapes import keys_of

_ENDLESS: Final = 10**9
"""A bound that only keeps numbers within the database's."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Hold one key. `default` is TOML, "" where the key has none; `bounds` says which values it takes, "" for any.

    `table` is the record of the values where the key maps names to tables. `types` are the plug-ins that a key chooses
    from, each with its own keys.
    """

    section: str
    key: str
    default: str
    bounds: str
    description: str
    is_secret: bool = False
    table: type[Struct] | None = None
    types: Mapping[str, type[Struct]] | None = None


def settings() -> Iterator[Setting]:
    """Give every key of every section, in the order of the records, and those of dialects behind them."""
    for section, record in SECTIONS.items():
        yield from settings_of(section, record)
    for dialect in find_dialects():
        if dialect.settings is not None:
            yield from settings_of(dialect.name, dialect.settings)


def settings_of(section: str, record: type[Struct]) -> Iterator[Setting]:
    """Give the keys of one record. A key without a description stops `make docs`."""
    for field in msgspec.structs.fields(record):
        key = keys_of(record)[field.encode_name]
        types = _types(key.chooses) if key.chooses and key.type is Chosen else None
        assert key.description, f"[{section}] {key.name} needs Meta(description=...): the docs show it"
        yield Setting(
            section,
            key.name,
            toml(default_of(field)),
            " or ".join(f"`{name}`" for name in types) if types else bounds_of(field.type),
            key.description,
            key.is_secret,
            key.table,
            types,
        )


def default_of(field: msgspec.structs.FieldInfo) -> Any:
    """Give the default of a field, None where it has none."""
    if field.default_factory is not NODEFAULT:
        return field.default_factory()
    return None if field.default is NODEFAULT else field.default


def toml(value: Any) -> str:
    """Write a value as TOML, "" for None. JSON writes texts and numbers in the same way."""
    if value is None:
        return ""
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        pairs = ", ".join(f"{json.dumps(key)} = {toml(inner)}" for key, inner in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, bool | int | float | str):
        return json.dumps(value, ensure_ascii=False)
    return str(value) if isinstance(value, date) else json.dumps(str(value))


def bounds_of(kind: Any) -> str:
    """Say which values a type takes: "1 to 256", "`tls` or `none`", "" for any."""
    plain, metas = (get_args(kind)[0], get_args(kind)[1:]) if get_origin(kind) is Annotated else (kind, ())
    if get_origin(plain) is Literal:
        return " or ".join(f"`{choice}`" for choice in get_args(plain))
    ends = [(meta.ge, meta.le) for meta in metas if isinstance(meta, Meta) and (meta.ge, meta.le) != (None, None)]
    if not ends:
        return ""
    least, most = ends[0]
    return f"{least} or more" if most is None or most >= _ENDLESS else f"{least} to {most}"


def _types(kind: str) -> dict[str, type[Struct]]:
    """Give the `Settings` of each type of a kind. The specimen is for authors of plug-ins."""
    package = PACKAGES[kind]
    return {name: load_plugin(package, name).Settings for name in names_in(package) if name != "specimen"}
