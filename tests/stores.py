"""Which database the harness and started servers use: SQLite, or with `--store=postgresql` a fresh PostgreSQL each.

    make test ARGS="--store=postgresql tests/dialects tests/end_to_end"
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.postgres import PostgresServer

_create: Callable[[], str] | None = None
_urls: dict[Path, str] = {}


def environment(folder: Path) -> dict[str, str]:
    """What names the database of the installation in `folder`, the same each time; {} for SQLite."""
    if _create is None:
        return {}
    if folder not in _urls:
        _urls[folder] = _create()
    return {"MENSHEN_STORAGE__URL": _urls[folder]}


def on_postgres() -> bool:
    return _create is not None


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--store", choices=["sqlite", "postgresql"], default="sqlite", help="the database of the tests")


@pytest.fixture(scope="session", autouse=True)
def chosen_store(request: pytest.FixtureRequest) -> Iterator[None]:
    global _create  # noqa: PLW0603 - what stands here is an option of the whole run
    if request.config.getoption("--store") == "sqlite":
        yield
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    _create = server.create
    yield
    _create = None
