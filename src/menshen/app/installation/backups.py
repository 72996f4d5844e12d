"""Back up the SQLite database while servers run, and restore it while they do not.

A backup holds no keys: keys.toml is stored apart from it. A restore ends all sessions, codes and captchas issued before
it. Else it would revive ended sessions and used codes.
(docs/contracts/core.md section 3.3, docs/security/attacks.md LG-4, docs/operate/reliability.md F22.)
"""

from __future__ import annotations

import asyncio
import fcntl
import itertools
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from menshen.adapters.sealing import KeyringSealer
from menshen.adapters.storage.sql.engines.sqlite import SqliteStore, connect
from menshen.adapters.storage.sql.schema.marks import refuse_moved
from menshen.adapters.storage.sql.schema.migrate import migrate_sqlite
from menshen.app.installation.opening import first_app, in_use, prepare_folder, read_keys, why_missing
from menshen.app.settings.reader import Settings, SettingsError
from menshen.flows.admin.epoch import raise_epoch
from menshen.ports.sealing import SealBroken, Sealer
from menshen.ports.world import World

_MAGIC: Final = b"SQLite format 3\0"


def take_backup(settings: Settings, target: Path) -> int:
    """Write a consistent copy to `target`, which must not exist, and return its size in bytes. Servers go on.

    Raises:
        SettingsError: there is no database, or `target` exists or cannot be written.
        MovedAwayError: another database took the place of this one.
    """
    path = _database(settings)
    if missing := why_missing(settings):
        raise SettingsError(missing)
    prepare_folder(settings)
    if target.exists():
        raise SettingsError(f"{target} already exists: give another name")
    beside = target.with_name(f".{target.name}.partial")
    with in_use(settings), _failures(target), _one_at_a_time(target), _without(beside):
        with closing(connect(path, settings.patience)) as connection:
            # It would be a backup of what is in use no more.
            refuse_moved(connection)
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
        MovedAwayError: another database took the place of this one.
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
            whole = _settle(path)
            _copy(source, beside)
            _check(beside, source)
            migrate_sqlite(beside, settings.patience)
            asyncio.run(_end_everything_issued(beside, keys, world))
            _to_disk(beside)
            kept = _keep(path, whole=whole)
            # At every moment a whole database stands in this place: a server that starts makes no empty one.
            beside.replace(path)
            _to_disk(path.parent)
    return kept


async def _end_everything_issued(copy: Path, keys: Sealer, world: World) -> None:
    store = SqliteStore(copy, keys)

    try:
        await first_app(store, world)
        # Apps may be sealed by different keys: all of them must be there.
        await store.read.apps.list_all()
        # The servers clear the old rows away: they start at once.
        await raise_epoch(store=store, world=world)
    except SealBroken as error:
        raise SettingsError(f"a sealed value of the backup is {error}: put that key back first") from None
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


def _settle(path: Path) -> bool:
    """Bring what is in the -wal file into the database. Return false if it is too damaged for that.

    A -wal file that stays would be read into the database that takes this one's place.
    """
    if not path.exists():
        return True
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) not in {_MAGIC, b""}:
            # SQLite would delete the files beside it.
            return False
    try:
        with closing(sqlite3.connect(path)) as connection:
            refuse_moved(connection)
            busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.DatabaseError:
        return False
    return not busy


def _copy(source: Path, beside: Path) -> None:
    if not source.with_name(f"{source.name}-wal").exists():
        shutil.copyfile(source, beside)
        return
    # It is no backup but a database, and its last rows are in the file beside it.
    with closing(sqlite3.connect(source)) as connection, closing(sqlite3.connect(beside)) as copy:
        connection.backup(copy)


def _keep(path: Path, *, whole: bool) -> Path | None:
    """Give the database a second name that nothing has, and return it. None: there is no database."""
    if not path.exists():
        return None
    first = f"{path.name}.before-restore"
    names = itertools.chain([first], (f"{first}.{number}" for number in itertools.count(2)))
    # A restore that was cut may have given it the name already.
    free = (place for name in names if not (place := path.with_name(name)).exists() or place.samefile(path))
    kept = next(free)
    for suffix in ("-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if whole:
            part.unlink(missing_ok=True)
        elif part.exists():
            part.replace(kept.with_name(kept.name + suffix))
    if not kept.exists():
        _give_name(path, kept)
    return kept


def _give_name(path: Path, kept: Path) -> None:
    try:
        kept.hardlink_to(path)
    except OSError:
        # The file system has no links.
        half = kept.with_name(f".{kept.name}.partial")
        shutil.copy2(path, half)
        _to_disk(half)
        half.replace(kept)


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
def _one_at_a_time(target: Path) -> Iterator[None]:
    """Let no other backup write to the same name: one would link the other's half to `target`."""
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(folder)
        raise SettingsError(f"another backup into {target.parent} is under way: wait for its end") from None
    try:
        yield
    finally:
        os.close(folder)


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
