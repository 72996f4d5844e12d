"""Make the records of the settings out of raw tables, or refuse with one sentence that names the place.

Not known here: where the tables come from, and whether values fit together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from menshen.app.plugins import UnknownPluginError, near
from menshen.app.settings.chosen import Chosen
from menshen.app.settings.errors import SettingsError
from menshen.app.settings.secret_files import describe_readers, read_secret_text
from menshen.app.settings.shapes import Key, Shapes, keys_of
from menshen.app.settings.sources import FILE, Given
from menshen.core.findings import Finding, warning
from menshen.core.secret import Secret

_NAME: Final = re.compile(r"[a-z0-9-]{1,32}", re.ASCII)

_Table = Mapping[str, Given]


@dataclass(frozen=True, slots=True)
class Decoder:
    """Make records. `shapes` tells the keys, those of plug-ins among them. `notes` are about what was read."""

    shapes: Shapes
    notes: list[Finding] = field(default_factory=list)

    def section(self, name: str, record: type[Struct], table: _Table) -> Any:
        """Return one section as its record. Raises SettingsError."""
        own: dict[str, Given] = {}
        beside: dict[str, dict[str, Given]] = {}
        for word, given in table.items():
            split = self.shapes.beside(record, word)
            if split is None:
                own[word] = given
            else:
                beside.setdefault(split.type, {})[split.key] = given
        self._refuse_unknown(name, record, own)
        for key in keys_of(record).values():
            if key.chooses_one and (key.name in own or beside):
                own[key.name] = Given(self._chosen(name, key, own.get(key.name), beside), Path())
            elif key.chooses_many and key.name in own and own[key.name].value:
                self._refuse_both_forms(name, record, key, table)
        return self._record(record, own, f"[{name}] ")

    def _refuse_unknown(self, section: str, record: type[Struct], own: _Table) -> None:
        """Refuse a key that is neither the section's nor stands beside. It may have been meant for what is chosen."""
        known = keys_of(record)
        for name in own:
            if name not in known and not _secret_of(known, name):
                close = [*known, *self._keys_beside(section, record, own)]
                raise SettingsError(f"[{section}] has no key {name}{near(name, close)}")

    def _keys_beside(self, section: str, record: type[Struct], own: _Table) -> Iterator[str]:
        """Yield the keys that may stand beside what the section chooses."""
        for key in keys_of(record).values():
            if key.chooses_one and key.name in own:
                chosen = self._type_of(section, key, own[key.name])
                for one in keys_of(self._settings_of(key, chosen, f"[{section}] {key.name}")):
                    yield f"{chosen}_{one}"

    def _record(self, record: type[Struct], table: _Table, place: str, prefix: str = "", *, needed_by: str = "") -> Any:
        """Return a table as its record.

        `place` and `prefix` stand before a key in a sentence, `needed_by` behind one that is missing.
        """
        known = keys_of(record)
        values: dict[str, Any] = {}
        for name, given in table.items():
            _check_name(known, table, name, place, prefix)
            if secret := _secret_of(known, name):
                values[secret] = self._read_secret(given, f"{place}{prefix}{name}")
            else:
                values[name] = self._value(known[name], given, place)
        for key in known.values():
            if key.required and key.name not in values:
                raise SettingsError(f"{place}{prefix}{key.name} is needed{needed_by}: {key.description}")
        try:
            return msgspec.convert(values, record, strict=True, dec_hook=_decode)
        except msgspec.ValidationError as error:
            raise _refusal(error, f"{place}{prefix}") from None

    def _read_secret(self, given: Given, place: str) -> Secret:
        """Read a secret from its file, without the line end at the end. Raises SettingsError."""
        if not isinstance(given.value, str):
            raise SettingsError(f"{place}: expected the path of a file")
        path = given.folder / given.value
        try:
            read = read_secret_text(path)
        except SettingsError as error:
            raise SettingsError(f"{place}: {error}") from None
        if note := describe_readers(read.readers, path):
            self.notes.append(warning(place, note))
        return Secret(read.text.rstrip("\r\n"))

    def _value(self, key: Key, given: Given, place: str) -> Any:
        """Return one value, with the tables in it as records."""
        value, section = given.value, place.strip("[] ")
        if key.is_path and isinstance(value, str) and value:
            return str(given.folder / value)
        if key.chooses_many and isinstance(value, list):
            return list(self._plugins(key, given, f"[[{section}.{key.name}]] "))
        if key.table is not None and isinstance(value, dict):
            return {
                name: self._record(key.table, _inside(table, given), f"[{section}.{key.name}] {name!r} ")
                for name, table in _tables(value, f"[{section}.{key.name}] ")
            }
        return value

    def _plugins(self, key: Key, given: Given, place: str) -> Iterator[Chosen]:
        """Yield what the tables of `[[section.key]]` choose."""
        seen: set[str] = set()
        for number, table in enumerate(given.value, 1):
            words = _inside(table, given)
            name, plugin_type = (words[word].value if word in words else None for word in ("name", "type"))
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                raise SettingsError(f"{place}number {number} needs a name: up to 32 of a to z, 0 to 9 and -")
            if name in seen:
                raise SettingsError(f"{place}{name} is there twice")
            seen.add(name)
            if not isinstance(plugin_type, str):
                raise SettingsError(f"{place}{name} type is needed")
            record = self._settings_of(key, plugin_type, f"{place}{name} type")
            own = {word: value for word, value in words.items() if word not in {"name", "type"}}
            shared = {word: own.pop(word) for word in keys_of(key.terms) if word in own} if key.terms else {}
            terms = self._record(key.terms, shared, f"{place}{name} ") if key.terms else None
            settings = self._record(record, own, f"{place}{name} ", needed_by=f" by type = {plugin_type}")
            yield Chosen(self.shapes.packages[key.chooses], plugin_type, name, f"{place}{name} ", settings, terms)

    def _chosen(self, section: str, key: Key, given: Given | None, beside: Mapping[str, _Table]) -> Chosen:
        """Return what `[section] key` chooses, with the keys beside it."""
        plugin_type = self._type_of(section, key, given)
        place, prefix = f"[{section}] ", f"{plugin_type}_"
        for other, table in beside.items():
            if other != plugin_type:
                self._check_unused(self._settings_of(key, other, place), table, place, f"{other}_")
        if plugin_type == str(key.default) and plugin_type not in beside:
            default: Chosen = key.default
            return default
        record = self._settings_of(key, plugin_type, f"{place}{key.name}")
        needed_by = f" by {key.name} = {plugin_type}"
        settings = self._record(record, beside.get(plugin_type, {}), place, prefix, needed_by=needed_by)
        return Chosen(self.shapes.packages[key.chooses], plugin_type, plugin_type, f"{place}{prefix}", settings)

    def _type_of(self, section: str, key: Key, given: Given | None) -> str:
        plugin_type = given.value if given is not None else str(key.default)
        if not isinstance(plugin_type, str):
            raise SettingsError(f"[{section}] {key.name}: expected the name of a type")
        return plugin_type

    def _check_unused(self, record: type[Struct], table: _Table, place: str, prefix: str) -> None:
        """Refuse wrong keys of a type that is not chosen: else they would be found on the day that it is."""
        known = keys_of(record)
        for name, given in table.items():
            _check_name(known, table, name, place, prefix)
            if name in known:
                try:
                    msgspec.convert(given.value, known[name].annotated, strict=True, dec_hook=_decode)
                except msgspec.ValidationError as error:
                    raise _refusal(error, f"{place}{prefix}{name}") from None

    def _refuse_both_forms(self, section: str, record: type[Struct], many: Key, table: _Table) -> None:
        for name in table:
            one = keys_of(record).get(name)
            if self.shapes.beside(record, name) or (one and one.chooses_one and one.chooses == many.chooses):
                raise _both_set(f"[{section}] {name}", f"[[{section}.{many.name}]]")

    def _settings_of(self, key: Key, plugin_type: str, place: str) -> type[Struct]:
        try:
            return self.shapes.settings_of(key.chooses, plugin_type)
        except UnknownPluginError as error:
            raise SettingsError(f"{place}: {error}") from None


def _secret_of(known: Mapping[str, Key], name: str) -> str:
    """Return the secret whose file the key `name` names, or ""."""
    plain = name.removesuffix(FILE)
    return plain if plain != name and name not in known and plain in known and known[plain].is_secret else ""


def _check_name(known: Mapping[str, Key], table: _Table, name: str, place: str, prefix: str) -> None:
    """Refuse a key that is not known, and a secret that is given twice."""
    secret = _secret_of(known, name)
    if secret in table:
        raise _both_set(f"{place}{prefix}{secret}", f"{prefix}{name}")
    if name not in known and not secret:
        close = near(f"{prefix}{name}", [f"{prefix}{one}" for one in known])
        raise SettingsError(f"{place.strip()} has no key {prefix}{name}{close}")


def _tables(value: Mapping[str, Any], place: str) -> Iterator[tuple[str, Any]]:
    """Yield names and tables. Refuse what is no table."""
    for name, table in value.items():
        if not isinstance(table, dict):
            raise SettingsError(f"{place}{name!r}: expected a table, got `{type(table).__name__}`")
        yield name, table


def _inside(table: Any, given: Given) -> dict[str, Given]:
    """Return the table that stands inside of a value. What is no table has nothing, and lacks what is needed."""
    return {key: Given(value, given.folder) for key, value in table.items()} if isinstance(table, dict) else {}


def _decode(kind: type, value: Any) -> Any:
    """Make what msgspec does not know itself. Raises ValueError with a sentence that does not hold the value."""
    if isinstance(value, kind):
        return value
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise ValueError(f"expected `{'str' if kind is Secret else 'table'}`, got `{type(value).__name__}`")


def _both_set(one: str, other: str) -> SettingsError:
    return SettingsError(f"{one} and {other} are both set: leave one out")


def _refusal(error: msgspec.ValidationError, place: str) -> SettingsError:
    """Put the sentence of msgspec behind the place."""
    what, _, where = str(error).partition(" - at `$")
    path = where.rstrip("`").removeprefix(".")
    return SettingsError(f"{place}{path}: {what[:1].lower()}{what[1:]}")
