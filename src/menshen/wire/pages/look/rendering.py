"""Render templates with Jinja2: each value is escaped, and a name that is missing is an error."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from menshen.wire.pages.look.assets import asset_path

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def environment() -> Environment:
    """Return the one environment of a process. Templates are compiled when they are first used, and kept."""
    # `menshen routes` lists pages, and renders none.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent.with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    made.globals["asset"] = asset_path
    return made


def render(template: str, values: Mapping[str, Any]) -> bytes:
    """Return the HTML of a template in UTF-8."""
    return environment().get_template(template).render(values).encode()
