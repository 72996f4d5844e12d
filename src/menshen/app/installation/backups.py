"""Copies of the SQLite database: taken while it serves, put back while it does not.

A backup holds no keys: keys.toml is kept apart from it. What was issued before a restore is dead after it,
whatever the copy says, for it would revive sessions that were ended and codes that were used.
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
    """Write a consistent copy to `target`, which must not exist yet; its size in bytes. Servers go on.

    Raises:
        SettingsError: there is nothing to copy, `target` is there or cannot be written.
    """
    path = _database(settings)
    if missing := why_missing(settings):
        raise SettingsError(missing)
    prepare_folder(settings)
    if target.exists():
        raise SettingsError(f"{target} is there already: give another name")
    beside = target.with_name(f".{target.name}.partial")
    with in_use(settings), _failures(target), _without(beside):
        with closing(connect(path, settings.patience)) as connection:
            connection.execute("VACUUM INTO ?", (str(beside),))
        _to_disk(beside)
        # A link does not replace what somebody put there meanwhile, as a rename would.
        target.hardlink_to(beside)
        _to_disk(target.parent)
    return target.stat().st_size


def put_back(settings: Settings, source: Path, world: World) -> Path | None:
    """Replace the database by the backup at `source`; the file the present one was moved to, None when there was none.

    Every session, code and captcha issued before is dead. Nothing is changed unless the copy is whole, of a
    schema this program knows, and made with the keys at hand.

    Raises:
        SettingsError: the backup is no good, or something is using the database.
        SchemaTooNewError: a newer program made it.
    """
    path = _database(settings)
    if not source.is_file():
        raise SettingsError(f"there is no backup at {source}")
    if not settings.keys.content and not settings.keys_path.exists():
        # New ones would open nothing of it, and lie in the way of the right ones.
        raise SettingsError(f"put the keys of the installation that was backed up at {settings.keys_path} first")
    prepare_folder(settings)
    keys = KeyringSealer(read_keys(settings, world))
    with in_use(settings, alone=True):
        beside = path.with_name(f".{path.name}.restoring")
        with _failures(source), _without(beside):
            shutil.copyfile(source, beside)
            _check(beside, source)
            migrate_sqlite(beside, settings.patience)
            asyncio.run(_kill_everything_issued(beside, keys, world))
            _to_disk(beside)
            kept = _move_aside(path)
            beside.replace(path)
            _to_disk(path.parent)
    return kept


async def _kill_everything_issued(copy: Path, keys: Sealer, world: World) -> None:
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
            "this is for SQLite: on PostgreSQL use pg_dump and pg_restore, and `menshen epoch raise` after a restore"
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
    """Failures of disk and database in one sentence."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise SettingsError(f"{file} cannot be used: {getattr(error, 'sqlite_errorname', 'SQLite says no')}") from None
    except OSError as error:
        raise SettingsError(f"{error.filename or file} cannot be used: {error.strerror}") from None


@contextmanager
def _without(beside: Path) -> Iterator[None]:
    """No half-made copy is left over, neither of a run before nor of this one."""
    parts = [beside.with_name(beside.name + suffix) for suffix in ("", "-wal", "-shm")]
    try:
        for part in parts:
            part.unlink(missing_ok=True)
        yield
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
