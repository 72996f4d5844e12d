"""Read sections of dialects: `[<name>]` belongs to the dialect of that name, and to its own record of settings."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from menshen.app.plugins import near
from menshen.app.settings.errors import SettingsError
from menshen.app.settings.settings import SECTIONS

_FORMER: Final = {"shop": "careyshop"}
"""Names that sections had before, and what they are called now. Both are read."""


def section_of(name: str) -> str:
    """Return the name under which a section is kept, for one that is given by this or by a former name."""
    return _FORMER.get(name, name)


def record_of(section: str, place: str = "") -> type[Struct]:
    """Return the record of a section: the program's own, or that of a dialect, whose package is imported then.

    `place` stands in front of the sentence of a refusal.

    Raises:
        SettingsError: there is no such section.
    """
    record = SECTIONS.get(section) or _settings_of(section)
    if record is None:
        raise SettingsError(f"{place}the settings have no section [{section}]{near(section, SECTIONS)}")
    return record


def _settings_of(name: str) -> type[Struct] | None:
    # Imported for a section that is not the program's own: reading the others needs no dialect.
    from menshen.app.discovery import UnknownDialectError, find_dialects

    try:
        (dialect,) = find_dialects([name])
    except UnknownDialectError:
        return None
    return dialect.settings
