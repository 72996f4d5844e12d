"""Check keys and database for `menshen check`. Must not create or migrate anything."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from menshen.app.installation.opening import needs_data_dir, why_missing
from menshen.app.keys_file import keyring_for
from menshen.app.settings.checks import find_app_problems, find_problems
from menshen.app.settings.reader import Settings, SettingsError
from menshen.core.findings import Finding, Severity
from menshen.core.keys import Keyring
from menshen.core.problems import Problem, ProblemCode
from menshen.ports.sealing import SealBroken
from menshen.ports.world import World


async def inspect(settings: Settings, world: World) -> list[Finding]:
    """Return all errors and warnings, errors first."""
    found = [*find_problems(settings, world.now()), *_places(settings)]
    if missing := why_missing(settings):
        found.append(Finding(Severity.WARNING, "the data directory", f"{missing}; the first start creates one"))
    keyring: Keyring | None = None
    unreadable = False
    try:
        if settings.keys.content or settings.keys_path.exists():
            keyring = keyring_for(settings, world)
    except SettingsError as error:
        unreadable = True
        found.append(Finding(Severity.ERROR, "[keys]", str(error)))
    # Keys that exist and cannot be read must not be reported as missing, too.
    found.extend(f for f in await _database(settings, keyring) if not (unreadable and f.key == "[keys]"))
    return sorted(found, key=lambda finding: finding.severity is not Severity.ERROR)


def _places(settings: Settings) -> Iterable[Finding]:
    """Report folders that a start needs and can neither find nor make."""
    path = settings.sqlite_path
    if path is not None and settings.storage.url and not path.parent.is_dir():
        yield Finding(Severity.ERROR, "[storage] url", f"the folder {path.parent} does not exist")
    if needs_data_dir(settings):
        data = settings.data_dir
        nearest = next(place for place in (data, *data.absolute().parents) if place.exists())
        if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
            yield Finding(Severity.ERROR, "the data directory", f"{data} cannot be made or written to")


async def _database(settings: Settings, keyring: Keyring | None) -> Iterable[Finding]:
    from menshen.adapters.sealing import KeyringSealer
    from menshen.adapters.storage.sql.schema.migrate import HEAD, SchemaTooNewError
    from menshen.app.assemble import open_store

    key = "[storage] url"
    path = settings.sqlite_path
    if path is not None and not os.path.exists(path):  # noqa: ASYNC240, PTH110 - one stat of a local file
        return []
    try:
        revision = _revision(path) if path is not None else await _postgres_revision(settings.storage.url)
        if revision is None or revision < HEAD:
            return [
                Finding(Severity.WARNING, key, "the database is older than this program: the next start changes it")
            ]
        if keyring is None:
            return [Finding(Severity.ERROR, "[keys]", f"{settings.keys_path} is missing, and the database needs it")]
        # The schema is current, so opening the database migrates nothing.
        store = await open_store(settings, KeyringSealer(keyring))
        try:
            return find_app_problems(settings, await store.read.apps.list_all())
        finally:
            await store.close()
    except (Problem, SchemaTooNewError) as error:
        return [Finding(Severity.ERROR, key, str(error))]
    except SealBroken:
        return [Finding(Severity.ERROR, "[keys]", "are not those the database was made with")]


def _revision(path: Path) -> str | None:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
                return None
            found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise Problem(ProblemCode.UNAVAILABLE, f"cannot open {path}: {error}") from error
    return str(found[0]) if found else None


async def _postgres_revision(url: str) -> str | None:
    import asyncpg

    try:
        connection = await asyncpg.connect(url, timeout=5, command_timeout=5)
        try:
            if not await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL"):
                return None
            found: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
        finally:
            await connection.close(timeout=5)
    except (OSError, ValueError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Problem(ProblemCode.UNAVAILABLE, f"cannot reach the database: {type(error).__name__}") from error
    return found
