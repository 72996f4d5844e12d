"""Read settings from their sources, a TOML file and the environment, as tables of raw values."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from menshen.app.settings.dialects import record_of, section_of
from menshen.app.settings.errors import SettingsError
from menshen.app.settings.shapes import Shapes

FILE: Final = "_file"
"""Behind the key of a secret: the value is the path of a file that holds it."""

_PREFIX: Final = "MENSHEN_"


@dataclass(frozen=True, slots=True)
class Given:
    """Hold one raw value, and the folder at which relative paths in it start."""

    value: Any
    folder: Path


Tables = dict[str, dict[str, Given]]
"""Raw values by section and key."""


def read_file(path: Path) -> Tables:
    """Read a settings file. Relative paths in it start at its folder.

    Raises:
        SettingsError: it cannot be read, is no TOML, or has a section that there is not.
    """
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"cannot read the settings file {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"the settings file {path} is not TOML: {error}") from None
    tables: Tables = {}
    for name, table in given.items():
        record_of(section_of(name))
        if not isinstance(table, dict):
            raise SettingsError(f"[{name}] in the settings must be a section with keys")
        kept = tables.setdefault(section_of(name), {})
        if both := sorted(set(kept) & set(table)):
            raise SettingsError(f"[{name}] {both[0]} is set in [{section_of(name)}] too: leave one out")
        kept.update({key: Given(value, path.parent) for key, value in table.items()})
    return tables


def read_environment(environ: Mapping[str, str], shapes: Shapes) -> Tables:
    """Read `MENSHEN_<SECTION>__<KEY>`: text as it is, all else as JSON. `MENSHEN_TEST_HASH=1` is `[hash] testing`.

    Raises:
        SettingsError: there is no such section, or a value is no JSON.
    """
    found: Tables = {}
    for variable, text in sorted(environ.items()):
        if not variable.startswith(_PREFIX) or "__" not in variable:
            continue
        named, _, key = variable.removeprefix(_PREFIX).lower().partition("__")
        section = section_of(named)
        known = shapes.find(record_of(section, f"{variable}: "), key)
        # What is unknown stays as it is: it is refused by its name, not by its value.
        value = text if known is None or known.is_text else _json(variable, text)
        found.setdefault(section, {})[key] = Given(value, Path())
    if environ.get("MENSHEN_TEST_HASH") == "1":
        found.setdefault("hash", {})["testing"] = Given(value=True, folder=Path())
    return found


def _json(variable: str, text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise SettingsError(f"{variable} must be JSON: a number, true or false, or a list") from None


def merge(tables: Tables, over: Tables, shapes: Shapes) -> Tables:
    """Return `tables` under `over`. A secret of `over` replaces that of `tables` in either spelling."""
    merged = {name: dict(table) for name, table in tables.items()}
    for section, table in over.items():
        beneath = merged.setdefault(section, {})
        for key in table:
            plain = key.removesuffix(FILE)
            secret = shapes.find(record_of(section), plain)
            for spelling in (plain, f"{plain}{FILE}") if secret and secret.is_secret else (key,):
                beneath.pop(spelling, None)
        beneath.update(table)
    return merged
