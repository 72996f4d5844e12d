"""The settings, as a complete `menshen.toml` of defaults that an operator can copy."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from typing import Final

from msgspec import Struct

from tools.docs.settings import Setting, settings, settings_of

_WIDTH: Final = 118


def render() -> str:
    """Give each section with its keys. What has no default stands in a comment."""
    parts = []
    for section, keys in groupby(settings(), lambda key: key.section):
        known = [*keys]
        parts.append("\n".join([f"[{section}]", *_lines(known), *_below(known)]))
    return "```toml\n" + "\n\n".join(parts) + "\n```\n"


def _lines(keys: list[Setting], off: str = "") -> Iterator[str]:
    """Write keys with their descriptions; `off` comments them out."""
    for key in keys:
        if key.table is None:
            yield from _comment(key)
            yield f"{off}{key.key} = {key.default}" if key.default else f"# {key.key} = … (needed)"


def _comment(key: Setting) -> list[str]:
    secret = f"secret: {key.key}_file may name a file that holds it" if key.is_secret else ""
    notes = "; ".join(filter(None, [key.bounds, secret]))
    text = f"{key.description} ({notes})" if notes else key.description
    return textwrap.wrap(text, _WIDTH, initial_indent="# ", subsequent_indent="# ")


def _below(keys: list[Setting]) -> Iterator[str]:
    """Write what a section may hold besides: the keys of its plug-ins, and its tables."""
    for key in keys:
        for name, record in (key.types or {}).items():
            own = [*_beside(key.section, name, record)]
            if own:
                yield ""
                yield f'# With {key.key} = "{name}":'
                yield from _lines(own, off="# ")
        if key.table is not None:
            yield ""
            yield from _comment(key)
            yield f'# [{key.section}.{key.key}."…"]'
            yield from _lines([*settings_of(key.section, key.table)], off="# ")


def _beside(section: str, name: str, record: type[Struct]) -> Iterator[Setting]:
    """Give the keys of a plug-in as they stand in the section: `<type>_<key>`."""
    for key in settings_of(section, record):
        yield replace(key, key=f"{name}_{key.key}")
