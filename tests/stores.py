"""Which database the harness and started servers use: SQLite, or with `--store=postgresql` a fresh PostgreSQL each.

make test ARGS="--store=postgresql tests/wire tests/end_to_end"
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

_create: Callable[[], str] | None = None
_urls: dict[Path, str] = {}


def use_postgres(create: Callable[[], str] | None) -> None:
    """From now on make databases by `create`; None goes back to SQLite."""
    global _create  # noqa: PLW0603 - what stands here is an option of the whole run
    _create = create


def environment(folder: Path) -> dict[str, str]:
    """What names the database of the installation in `folder`, the same each time; {} for SQLite."""
    if _create is None:
        return {}
    if folder not in _urls:
        _urls[folder] = _create()
    return {"MENSHEN_STORAGE__URL": _urls[folder]}


def on_postgres() -> bool:
    return _create is not None
