"""The limits that settings change."""

from __future__ import annotations

from typing import Final

from tools.docs.markdown import code, table
from tools.docs.settings import settings

ALSO: Final = (
    "hash.queue",
    "hash.memory_kib",
    "hash.passes",
    "captcha.cost",
    "server.connections",
    "server.connections_per_ip",
    "server.requests",
    "audit.days",
)
"""Keys of other sections that limit something."""


def render() -> str:
    """Give every key of `[limits]`, and ALSO."""
    found = {f"{key.section}.{key.key}": key for key in settings()}
    wanted = [name for name in found if name.startswith("limits.")] + [*ALSO]
    return table(
        ("setting", "default", "meaning"),
        [(code(name), found[name].default, found[name].description) for name in wanted],
    )
