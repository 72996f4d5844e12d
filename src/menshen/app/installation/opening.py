"""An installation on this machine: its data directory, its keys, its database, and who is using it.

Whatever is missing is made: the directory (0700), keys.toml (0600), the database, the first app.
(docs/contracts/core.md section 5.1, docs/security/attacks.md LG-5.)
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from menshen.app.keys_file import keyring_for
from menshen.app.settings.reader import Settings, SettingsError
from menshen.core.apps import App
from menshen.core.keys import Keyring
from menshen.ports.sealing import SealBroken
from menshen.ports.store.store import Store
from menshen.ports.world import World


@dataclass(frozen=True, slots=True)
class Installation:
    """An open one, without flows and wire: what commands work on."""

    settings: Settings
    world: World
    keyring: Keyring
    store: Store
    default_app: App


def prepare_folder(settings: Settings) -> None:
    """Make the data directory, and see that what this process writes is its owner's alone.

    Raises:
        SettingsError: the directory cannot be made, or the database's folder is not there.
    """
    os.umask(0o077)
    path = settings.sqlite_path
    if path is not None and settings.storage.url and not path.parent.is_dir():
        raise SettingsError(f"[storage] url: the folder {path.parent} does not exist")
    if needs_data_dir(settings):
        try:
            settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"cannot make the data directory {settings.data_dir}: {error.strerror}") from None
    if path is not None:
        for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            _make_private(file)


def why_missing(settings: Settings) -> str | None:
    """One sentence when nothing has been made yet where the settings point, None when something is there.

    For whoever only reads or changes what is there: a mistyped folder must not become an installation. Makes nothing.
    """
    path = settings.sqlite_path
    if path is None:
        found = bool(settings.keys.content) or settings.keys_path.exists()
        return None if found else f"there is no installation yet: {settings.keys_path} is missing"
    if path.exists() or (settings.storage.url and not path.parent.is_dir()):
        return None
    return f"there is no database at {path}" if settings.storage.url else f"there is no installation in {path.parent}"


def needs_data_dir(settings: Settings) -> bool:
    """Whether anything is kept in the data directory: the database, or the keys."""
    return not settings.storage.url or not (settings.keys.content or settings.keys.file)


def read_keys(settings: Settings, world: World) -> Keyring:
    """The keys, new ones only for a new installation.

    Raises:
        SettingsError: as `keyring_for`; or a database is there whose keys are gone.
    """
    path = settings.sqlite_path
    missing = not settings.keys.content and not settings.keys_path.exists()
    if missing and path is not None and path.exists() and path.stat().st_size > 0:
        raise SettingsError(
            f"{path} is there but its keys are not: put the {settings.keys_path} back that was made with it"
        )
    return keyring_for(settings, world)


@asynccontextmanager
async def open_installation(settings: Settings, world: World) -> AsyncIterator[Installation]:
    """Open it, made whole and brought to today's schema, and close it again.

    Raises:
        SettingsError: folder, keys or database do not fit, or a restore is under way.
        Problem: UNAVAILABLE, when the database cannot be opened.
        SchemaTooNewError: it belongs to a newer program.
    """
    # Imported late: it brings every use case and adapter with it, and a refusal above needs none of them.
    from menshen.adapters.sealing import KeyringSealer
    from menshen.app.assemble import open_store

    prepare_folder(settings)
    keyring = read_keys(settings, world)
    with in_use(settings):
        store = await open_store(settings, KeyringSealer(keyring))
        try:
            yield Installation(settings, world, keyring, store, await first_app(store, world))
        finally:
            await store.close()


async def first_app(store: Store, world: World) -> App:
    """The app `default`, made when there is none.

    Raises:
        SettingsError: the database was made with other keys.
        Problem: UNAVAILABLE.
    """
    from menshen.flows.apps.manage import ensure_default_app

    try:
        return await ensure_default_app(store=store, world=world)
    except SealBroken:
        raise SettingsError(
            "the database was made with other keys than those of keys.toml: put the ones back that it was made with"
        ) from None


@contextmanager
def in_use(settings: Settings, *, alone: bool = False) -> Iterator[None]:
    """Hold the SQLite file: together with everybody else who uses it, or alone to replace it. PostgreSQL needs none.

    Raises:
        SettingsError: somebody holds it so that this is not possible.
    """
    path = settings.sqlite_path
    if path is None:
        yield
        return
    try:
        descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SettingsError(f"cannot lock {path}: {error.strerror}") from None
    try:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except OSError:
            why = "a server or a command is using it: stop it first" if alone else "a restore is replacing it"
            raise SettingsError(f"{path} cannot be opened, {why}") from None
        yield
    finally:
        os.close(descriptor)


def _make_private(path: Path) -> None:
    """Take away what others may do with a file that was copied here, where that is ours to do."""
    try:
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError:
        return
