"""Back up the SQLite database while servers run, and restore it while they do not.

A backup holds no keys: keys.toml is stored apart from it. A restore ends all sessions, codes and captchas issued before
it. Else it would revive ended sessions and used codes.
(docs/contracts/core.md section 3.3, docs/security/attacks.md LG-4, docs/operate/reliability.md F22.)
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from menshen.adapters.sealing import KeyringSealer
from menshen.adapters.storage.sql.engines.sqlite import SqliteStore, connect
from menshen.adapters.storage.sql.schema.migrate import migrate_sqlite
from menshen.app.installation.opening import first_app, in_use, prepare_folder, read_keys, why_missing
from menshen.app.settings.reader import Settings, SettingsError
from menshen.ports.sealing import Sealer
from menshen.ports.store.store import WriteTx
from menshen.ports.world import World


def take_backup(settings: Settings, target: Path) -> int:
    """Write a consistent copy to `target`, which must not exist, and return its size in bytes. Servers go on.

    Raises:
        SettingsError: there is no database, or `target` exists or cannot be written.
    """
    path = _database(settings)
    if missing := why_missing(settings):
        raise SettingsError(missing)
    prepare_folder(settings)
    if target.exists():
        raise SettingsError(f"{target} already exists: give another name")
    beside = target.with_name(f".{target.name}.partial")
    with in_use(settings), _failures(target), _without(beside):
        with closing(connect(path, settings.patience)) as connection:
            connection.execute("VACUUM INTO ?", (str(beside),))
        _to_disk(beside)
        # Unlike a rename, a link does not replace a file that appeared in the meantime.
        target.hardlink_to(beside)
        _to_disk(target.parent)
    return target.stat().st_size


def put_back(settings: Settings, source: Path, world: World) -> Path | None:
    """Replace the database by the backup at `source`, and return where the old one was moved, or None.

    All sessions, codes and captchas issued before end. Nothing changes unless the copy is intact, of a known schema,
    and made with the present keys.

    Raises:
        SettingsError: the backup cannot be used, or the database is in use.
        SchemaTooNewError: a newer program made the backup.
    """
    path = _database(settings)
    if not source.is_file():
        raise SettingsError(f"there is no backup at {source}")
    if not settings.keys.content and not settings.keys_path.exists():
        # New keys could not open the backup, and would take the place of the right ones.
        raise SettingsError(f"first copy the keys of the backed-up installation to {settings.keys_path}")
    prepare_folder(settings)
    keys = KeyringSealer(read_keys(settings, world))
    with in_use(settings, alone=True):
        beside = path.with_name(f".{path.name}.restoring")
        with _failures(source), _without(beside):
            shutil.copyfile(source, beside)
            _check(beside, source)
            migrate_sqlite(beside, settings.patience)
            asyncio.run(_end_everything_issued(beside, keys, world))
            _to_disk(beside)
            kept = _move_aside(path)
            beside.replace(path)
            _to_disk(path.parent)
    return kept


async def _end_everything_issued(copy: Path, keys: Sealer, world: World) -> None:
    store = SqliteStore(copy, keys)

    async def raise_epoch(tx: WriteTx) -> int:
        return await tx.upkeep.raise_epoch()

    try:
        await first_app(store, world)
        await store.write(raise_epoch)
    finally:
        await store.close()


def _database(settings: Settings) -> Path:
    if settings.sqlite_path is None:
        raise SettingsError(
            "this works on SQLite only: for PostgreSQL use pg_dump, pg_restore, and then `menshen epoch raise`"
        )
    return settings.sqlite_path


def _check(copy: Path, source: Path) -> None:
    with closing(sqlite3.connect(copy)) as connection:
        found = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if found != ("ok",) or connection.execute("PRAGMA foreign_key_check").fetchone():
            raise SettingsError(f"{source} is damaged")
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
            raise SettingsError(f"{source} is no backup of a Menshen database")


def _move_aside(path: Path) -> Path | None:
    if not path.exists():
        return None
    kept = path.with_name(f"{path.name}.before-restore")
    for suffix in ("-wal", "-shm", ""):
        part, place = path.with_name(path.name + suffix), kept.with_name(kept.name + suffix)
        place.unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            part.rename(place)
    return kept


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _failures(file: Path) -> Iterator[None]:
    """Turn failures of disk and database into one sentence. Raises SettingsError."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise SettingsError(
            f"{file} cannot be used: {getattr(error, 'sqlite_errorname', 'SQLite refused it')}"
        ) from None
    except OSError as error:
        raise SettingsError(f"{error.filename or file} cannot be used: {error.strerror}") from None


@contextmanager
def _without(beside: Path) -> Iterator[None]:
    """Delete unfinished copies, of an earlier run and of this one."""
    parts = [beside.with_name(beside.name + suffix) for suffix in ("", "-wal", "-shm")]
    try:
        for part in parts:
            part.unlink(missing_ok=True)
        yield
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
