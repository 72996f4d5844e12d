"""What the flow tests ask for: a site on SQLite, or on each store where it races."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.databases import emptied_url, postgres_emptied, postgres_template, sqlite_template
from tests.flows.site import Site, open_site

__all__ = ["emptied_url", "postgres_emptied", "postgres_template", "sqlite_template"]


@pytest.fixture
def folder(tmp_path: Path, sqlite_template: Path) -> Path:
    """A data folder whose database has been migrated already."""
    shutil.copy(sqlite_template, tmp_path / "menshen.db")
    return tmp_path


@pytest.fixture
async def site(folder: Path) -> AsyncIterator[Site]:
    async with open_site(folder) as made:
        yield made


@pytest.fixture
async def postgres_site(folder: Path, emptied_url: str) -> AsyncIterator[Site]:
    async with open_site(folder, {"MENSHEN_STORAGE__URL": emptied_url}) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
async def each_site(request: pytest.FixtureRequest, folder: Path) -> AsyncIterator[Site]:
    environ = None
    if request.param == "postgresql":
        environ = {"MENSHEN_STORAGE__URL": request.getfixturevalue("emptied_url")}
    async with open_site(folder, environ) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
async def two(request: pytest.FixtureRequest, folder: Path) -> AsyncIterator[list[Site]]:
    """Two nodes on one database: on PostgreSQL two machines, on SQLite two workers of one."""
    environ = {"MENSHEN_SERVER__WORKERS": "2"}
    if request.param == "postgresql":
        environ = {"MENSHEN_STORAGE__URL": request.getfixturevalue("emptied_url")}
    async with open_site(folder, environ) as one, open_site(folder, environ, one.clock) as other:
        yield [one, other]
