"""The types of senders of text messages, each with its own keys."""

from __future__ import annotations

from collections.abc import Iterator

from menshen.app.plugins import PACKAGES, load_plugin, names_in
from tools.docs.markdown import code, table
from tools.docs.settings import Setting, settings_of


def render() -> str:
    """Give a row for each key of each type. The specimen is for authors of plug-ins."""
    return table(("type", "key", "default", "meaning"), _rows())


def _rows() -> Iterator[tuple[str, str, str, str]]:
    package = PACKAGES["sms"]
    for name in names_in(package):
        if name == "specimen":
            continue
        keys = [*settings_of("sms.senders", load_plugin(package, name).Settings)]
        for place, key in enumerate(keys):
            yield "" if place else code(name), *_row(key)
        if not keys:
            yield code(name), "", "", "It has no keys."


def _row(key: Setting) -> tuple[str, str, str]:
    default = code(key.default) if key.default else "needed"
    return code(key.key), default, f"Secret. {key.description}" if key.is_secret else key.description
