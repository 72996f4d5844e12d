"""Move an installation from SQLite to PostgreSQL while it serves. All sessions stay.

The first run copies while servers run. The last run, with the servers stopped, copies the changes since then and
completes the new database. From then on the old one is marked as moved, and every server and command refuses it.
(docs/operate/operations.md#from-sqlite-to-postgresql, decision 0046.)
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

from menshen.adapters.sealing import KeyringSealer
from menshen.adapters.storage.sql.engines.connections import LOST
from menshen.adapters.storage.sql.engines.patience import Patience
from menshen.adapters.storage.sql.engines.sqlite import SqliteStore, connect
from menshen.adapters.storage.sql.schema.copying import Copied, Progress, Run, copy_database
from menshen.adapters.storage.sql.schema.marks import lift_moved, moved_to, unmarked
from menshen.adapters.storage.sql.schema.migrate import HEAD, migrate_sqlite, sqlite_revision
from menshen.adapters.storage.sql.schema.target import CopyError
from menshen.app.installation.opening import in_use, prepare_folder, read_keys, why_missing
from menshen.app.settings.reader import Settings, SettingsError
from menshen.app.settings.sections.storage import Storage
from menshen.core.secret import Secret
from menshen.flows.admin.epoch import raise_epoch
from menshen.ports.world import World


@dataclass(frozen=True, slots=True)
class Moved:
    """Hold the result of a run. `final`: the old database was not in use, so the new one is complete."""

    tables: Sequence[Copied]
    final: bool


def copy_to_postgres(settings: Settings, source: str, target: str, progress: Progress, world: World) -> Moved:
    """Copy `source` (sqlite:///…, "" for the installation's own) to `target` (postgresql://…).

    Raises:
        SettingsError: a URL is malformed, the target is in use, or one side failed.
        SchemaTooNewError: one database belongs to a newer program.
        Problem: UNAVAILABLE.
    """
    here, path = _source(settings, source)
    if not target.startswith(("postgresql://", "postgres://")):
        raise SettingsError("--to must be postgresql://…")
    prepare_folder(here)
    with _held(here) as alone, _failures(), closing(_opened(path, here.patience, alone=alone)) as connection:
        run = Run(world.now(), world.token_bytes(16).hex(), alone)
        tables = asyncio.run(copy_database(connection, target, progress, run))
    return Moved(tables, alone)


def take_back(settings: Settings, source: str, world: World) -> str:
    """Let servers use the old database again, and return where it had been moved. All sessions end.

    Without that, sessions that ended on PostgreSQL would be live again.

    Raises:
        SettingsError: it was not moved, or it is in use.
    """
    here, path = _source(settings, source)
    prepare_folder(here)
    with in_use(here, alone=True), _failures():
        with closing(connect(path, here.patience, read_only=True)) as connection:
            moved = moved_to(connection)
        if moved is None:
            raise SettingsError(f"{path} was not moved: there is nothing to take back")
        migrate_sqlite(path, here.patience, moved=True)
        asyncio.run(_raise_epoch(path, here, world))
        lift_moved(path, here.patience)
    return moved.target


async def _raise_epoch(path: Path, here: Settings, world: World) -> None:
    store = SqliteStore(path, KeyringSealer(read_keys(here, world)), here.patience)
    try:
        await raise_epoch(store=store, world=world)
    finally:
        await store.close()


@contextmanager
def _failures() -> Iterator[None]:
    """Turn failures of both sides into one sentence. Raises SettingsError."""
    try:
        yield
    except CopyError as error:
        raise SettingsError(str(error)) from None
    except sqlite3.Error as error:
        raise SettingsError(f"the SQLite side failed ({getattr(error, 'sqlite_errorname', 'SQLite')})") from None
    except (*LOST, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise SettingsError(
            f"the PostgreSQL side failed ({type(error).__name__}): run it again, it continues where it stopped"
        ) from None


def _source(settings: Settings, source: str) -> tuple[Settings, Path]:
    here = _at(settings, source)
    path = here.sqlite_path
    if path is None:
        raise SettingsError("--from must be sqlite:///… (it may be left out if the settings name an SQLite database)")
    if missing := why_missing(here):
        raise SettingsError(missing)
    return here, path


def _at(settings: Settings, source: str) -> Settings:
    if not source:
        return settings
    if not source.startswith("sqlite:///"):
        raise SettingsError("--from must be sqlite:///…")
    return msgspec.structs.replace(settings, storage=Storage(url=Secret(source)))


def _opened(path: Path, patience: Patience, *, alone: bool) -> sqlite3.Connection:
    migrate_sqlite(path, patience, moved=True)
    connection = connect(path, patience, read_only=not alone)
    revision = unmarked(sqlite_revision(connection, path) or "")
    if revision != HEAD:
        connection.close()
        # The columns that this program does not know would stay behind.
        raise SettingsError(f"{path} has schema {revision}, this program copies schema {HEAD}: run the newer menshen")
    return connection


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
