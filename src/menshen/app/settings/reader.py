"""Read settings, a TOML file overridden by the environment, into frozen records with a default for everything.

What stands here is one value's shape; whether values fit together is `menshen.app.settings.checks`. Unknown keys
are refused with a sentence naming them. (docs/contracts/core.md section 5.2.)
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from menshen.app.plugins import PACKAGES
from menshen.app.settings.decoding import Decoder
from menshen.app.settings.dialects import record_of
from menshen.app.settings.errors import SettingsError
from menshen.app.settings.policy import policy_of
from menshen.app.settings.sections.limits import limits_from
from menshen.app.settings.settings import SECTIONS, Settings
from menshen.app.settings.shapes import Shapes
from menshen.app.settings.sources import merge, read_environment, read_file
from menshen.app.settings.values import check_values

__all__ = ["Settings", "SettingsError", "load_settings", "policy_of"]


def load_settings(
    config_path: Path | None,
    environ: Mapping[str, str],
    data_dir: Path,
    packages: Mapping[str, str] = PACKAGES,
) -> Settings:
    """Read the settings of the file (none: all defaults) under `MENSHEN_<SECTION>__<KEY>` of the environment.

    `packages` says where the plug-ins of each kind are. A secret may be given as `<key>_file` in its place: the path of
    a file that holds it.

    Raises:
        SettingsError: something is unreadable, unknown or of the wrong shape.
    """
    shapes = Shapes(packages)
    given = merge(read_file(config_path) if config_path else {}, read_environment(environ, shapes), shapes)
    decoder = Decoder(shapes)
    sections: dict[str, Any] = {name: decoder.section(name, record_of(name), table) for name, table in given.items()}
    if "limits" in sections:
        sections["limits"] = limits_from(sections["limits"])
    dialects = {name: sections.pop(name) for name in [*sections] if name not in SECTIONS}
    settings = Settings(data_dir=data_dir, dialects=dialects, notes=tuple(decoder.notes), **sections)
    check_values(settings)
    return settings
