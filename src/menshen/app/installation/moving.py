"""Move an installation from SQLite to PostgreSQL while it serves. All sessions stay.

The first run copies while servers run. The last run, with the servers stopped, copies the changes since then and
completes the new database. (docs/operate/operations.md#from-sqlite-to-postgresql.)
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import msgspec

from menshen.adapters.storage.sql.engines.connections import LOST
from menshen.adapters.storage.sql.engines.patience import Patience
from menshen.adapters.storage.sql.engines.sqlite import connect
from menshen.adapters.storage.sql.schema.copying import Copied, CopyError, Progress, copy_database, finish_copy
from menshen.adapters.storage.sql.schema.migrate import migrate_postgres, migrate_sqlite
from menshen.app.installation.opening import in_use, prepare_folder, why_missing
from menshen.app.settings.reader import Settings, SettingsError
from menshen.app.settings.sections.storage import Storage
from menshen.core.secret import Secret


@dataclass(frozen=True, slots=True)
class Moved:
    """Hold the result of a run. `final`: the old database was not in use, so the new one is complete."""

    tables: Sequence[Copied]
    final: bool


def copy_to_postgres(settings: Settings, source: str, target: str, progress: Progress) -> Moved:
    """Copy `source` (sqlite:///…, "" for the installation's own) to `target` (postgresql://…).

    Raises:
        SettingsError: a URL is malformed, the target is in use, or one side failed.
        SchemaTooNewError: one database belongs to a newer program.
        Problem: UNAVAILABLE.
    """
    here = _at(settings, source)
    path = here.sqlite_path
    if path is None:
        raise SettingsError("--from must be sqlite:///… (it may be left out if the settings name an SQLite database)")
    if not target.startswith(("postgresql://", "postgres://")):
        raise SettingsError("--to must be postgresql://…")
    if missing := why_missing(here):
        raise SettingsError(missing)
    prepare_folder(here)
    with _held(here) as alone, closing(_opened(path, here.patience)) as connection:
        tables = asyncio.run(_copy(connection, target, progress, here.patience, final=alone))
    return Moved(tables, alone)


async def _copy(
    connection: sqlite3.Connection, target: str, progress: Progress, patience: Patience, *, final: bool
) -> list[Copied]:
    await migrate_postgres(target, patience)
    try:
        tables = await copy_database(connection, target, progress)
        if final:
            await finish_copy(target)
    except CopyError as error:
        raise SettingsError(str(error)) from None
    except sqlite3.Error as error:
        raise SettingsError(f"the SQLite side failed ({getattr(error, 'sqlite_errorname', 'SQLite')})") from None
    except (*LOST, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise SettingsError(
            f"the PostgreSQL side failed ({type(error).__name__}): run it again, it continues where it stopped"
        ) from None
    return tables


def _at(settings: Settings, source: str) -> Settings:
    if not source:
        return settings
    if not source.startswith("sqlite:///"):
        raise SettingsError("--from must be sqlite:///…")
    return msgspec.structs.replace(settings, storage=Storage(url=Secret(source)))


def _opened(path: Path, patience: Patience) -> sqlite3.Connection:
    migrate_sqlite(path, patience)
    return connect(path, patience, read_only=True)


@contextmanager
def _held(settings: Settings) -> Iterator[bool]:
    """Hold the old database: alone if it is not in use, else together with its users. Yield true if alone."""
    with ExitStack() as stack:
        try:
            stack.enter_context(in_use(settings, alone=True))
            alone = True
        except SettingsError:
            stack.enter_context(in_use(settings))
            alone = False
        yield alone
