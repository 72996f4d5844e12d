"""Open an installation on this machine: its data directory, keys and database, and the lock on it.

A missing part is made: the directory (0700), keys.toml (0600), the database, the first app.
(docs/contracts/core.md section 5.1, docs/security/attacks.md LG-5.)
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from menshen.app.keys_file import keyring_for
from menshen.app.settings.reader import Settings, SettingsError
from menshen.core.apps import App
from menshen.core.keys import Keyring
from menshen.ports.sealing import SealBroken
from menshen.ports.store.store import Store
from menshen.ports.world import World


@dataclass(frozen=True, slots=True)
class Installation:
    """Hold an open installation without flows and wire, for commands."""

    settings: Settings
    world: World
    keyring: Keyring
    store: Store
    default_app: App


def prepare_folder(settings: Settings) -> None:
    """Make the data directory, and let the files that this process makes be readable by their owner only.

    Raises:
        SettingsError: the directory cannot be made, or the database's folder does not exist.
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


def why_missing(settings: Settings) -> str | None:
    """Return a sentence if the settings name no existing installation, else None. Makes nothing.

    It is for commands that only read or change: a mistyped directory must not become an installation.
    """
    path = settings.sqlite_path
    if path is None:
        found = bool(settings.keys.content) or settings.keys_path.exists()
        return None if found else f"there is no installation: {settings.keys_path} is missing"
    if path.exists() or (settings.storage.url and not path.parent.is_dir()):
        return None
    return f"there is no database at {path}" if settings.storage.url else f"there is no installation in {path.parent}"


def needs_data_dir(settings: Settings) -> bool:
    """Check if the data directory holds the database or the keys."""
    return not settings.storage.url or not (settings.keys.content or settings.keys.file)


def read_keys(settings: Settings, world: World) -> Keyring:
    """Return the keys. New ones are made only for a new installation.

    Raises:
        SettingsError: as `keyring_for`; or the database exists and its keys do not.
    """
    path = settings.sqlite_path
    missing = not settings.keys.content and not settings.keys_path.exists()
    if missing and path is not None and path.exists() and path.stat().st_size > 0:
        raise SettingsError(f"{path} exists but its keys do not: restore the {settings.keys_path} that belongs to it")
    return keyring_for(settings, world)


@asynccontextmanager
async def open_installation(settings: Settings, world: World) -> AsyncIterator[Installation]:
    """Open the installation and close it again. Missing parts are made, and the schema is upgraded.

    Raises:
        SettingsError: directory, keys and database do not fit, or a restore is under way.
        Problem: UNAVAILABLE, when the database cannot be opened.
        SchemaTooNewError: the database belongs to a newer program.
    """
    # Imported late: a refusal above needs none of them.
    from menshen.adapters.sealing import KeyringSealer
    from menshen.app.parts.store import open_store

    prepare_folder(settings)
    keyring = read_keys(settings, world)
    with in_use(settings):
        store = await open_store(settings, KeyringSealer(keyring))
        try:
            yield Installation(settings, world, keyring, store, await first_app(store, world))
        finally:
            await store.close()


async def first_app(store: Store, world: World) -> App:
    """Return the app `default`. A missing one is made.

    Raises:
        SettingsError: the database was made with other keys.
        Problem: UNAVAILABLE.
    """
    from menshen.flows.apps.manage import ensure_default_app

    try:
        return await ensure_default_app(store=store, world=world)
    except SealBroken:
        raise SettingsError(
            "the database was made with other keys than those of keys.toml: restore the keys.toml that belongs to it"
        ) from None


@contextmanager
def in_use(settings: Settings, *, alone: bool = False) -> Iterator[None]:
    """Hold the lock of the SQLite file, shared to use it, or `alone` to replace or move it. PostgreSQL needs no lock.

    Raises:
        SettingsError: another process holds the lock.
    """
    path = settings.sqlite_path
    if path is None:
        yield
        return
    # A link elsewhere leads to the same lock.
    path = path.resolve()
    try:
        descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        from menshen.adapters.storage.sql.engines.file_faults import why_unusable

        why = why_unusable(path)
        raise SettingsError(f"cannot lock {path}: {why or error.strerror}") from None
    try:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except OSError:
            why = (
                "a server or a command is using it: stop it first"
                if alone
                else "a restore is replacing it or a copy is moving it"
            )
            raise SettingsError(f"{path} cannot be opened, {why}") from None
        yield
    finally:
        os.close(descriptor)
