"""Read and write keys.toml: the installation's secrets, outside the database, readable by their owner only.

    [[keys]]                      # the newest first: it makes new values, all of them verify
    id = "4f0c2a91"
    secret = "<64 hex digits>"
    created = "2026-01-31T08:00:00Z"

    [index]                       # names counters, never rotated
    secret = "<64 hex digits>"

The file is written whole, under a lock on its folder, and moved into place. So when two processes start at the same
time, one makes it and both read it. (docs/contracts/core.md section 5.1, docs/security/attacks.md LG-5.)
"""

from __future__ import annotations

import fcntl
import os
import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from menshen.app.settings.reader import Settings, SettingsError
from menshen.app.settings.secret_files import Readers, describe_readers, read_secret_text
from menshen.core.findings import Finding, warning
from menshen.core.keys import Key, Keyring
from menshen.core.time import Instant
from menshen.ports.world import World

_SECRET_BYTES = 32
"""Random bytes of a key."""

_ID = re.compile(r"[a-z0-9-]{1,32}", re.ASCII)
_HEAD = """\
# The secrets of this Menshen installation. Whoever reads them can forge codes and open sealed values: keep the file
# 0600, back it up apart from the database, and give the same file to every node. `menshen keys rotate` adds a key.
"""


@dataclass(frozen=True, slots=True)
class _Entry:
    key: Key
    created: str


def keyring_for(settings: Settings, world: World) -> Keyring:
    """Return the keys that the settings name. A missing file is made.

    Raises:
        SettingsError: the keys are unreadable, malformed, or readable by others.
    """
    if settings.keys.content:
        return _ring(*_parsed(settings.keys.content, "[keys] content"))
    return load_or_create_keyring(settings.keys_path, world)


def keys_of_now(settings: Settings, world: World, known: Keyring) -> Keyring:
    """Read the keys again, for a server that meets an unknown key. Return `known` if they cannot be read."""
    try:
        return keyring_for(settings, world) if settings.keys.content or settings.keys_path.exists() else known
    except SettingsError:
        return known


def load_or_create_keyring(path: Path, world: World) -> Keyring:
    """Return the keys of the file at `path`. A missing file is made with new keys.

    Raises:
        SettingsError: as `load_keyring`.
    """
    if not path.exists():
        with _folder_lock(path):
            if not path.exists():
                _write(path, [_new_entry(world)], world.token_bytes(_SECRET_BYTES))
    return load_keyring(path)


def load_keyring(path: Path) -> Keyring:
    """Return the keys of the file at `path`. Raises SettingsError."""
    return _ring(*_read(path))


def rotate(path: Path, world: World) -> str:
    """Add a new key before the others, which still verify, and return its id. Raises SettingsError."""
    with _folder_lock(path):
        entries, index = _read(path)
        made = _new_entry(world)
        _write(path, [made, *entries], index)
    return made.key.key_id


def _new_entry(world: World) -> _Entry:
    return _Entry(Key(world.token_bytes(4).hex(), world.token_bytes(_SECRET_BYTES)), _iso(world.now()))


def _iso(at: Instant) -> str:
    return f"{datetime.fromtimestamp(at // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _ring(entries: list[_Entry], index: bytes) -> Keyring:
    return Keyring(tuple(entry.key for entry in entries), Key("index", index))


def find_readers(settings: Settings) -> Iterator[Finding]:
    """Find a keys.toml that a group can read. One that others can read is refused where it is read."""
    path = settings.keys_path
    if settings.keys.content or not path.exists():
        return
    with suppress(SettingsError):
        readers = read_secret_text(path).readers
        if readers is Readers.GROUP:
            yield warning("[keys]", describe_readers(readers, path))


def _read(path: Path) -> tuple[list[_Entry], bytes]:
    given = read_secret_text(path)
    if given.readers is Readers.OTHERS:
        raise SettingsError(
            f"{describe_readers(given.readers, path)}: chmod 600 it, and rotate the keys if in doubt. Where a platform "
            "mounts it and its mode is fixed, name it as [keys] content_file"
        )
    return _parsed(given.text, str(path))


def _parsed(text: str, where: str) -> tuple[list[_Entry], bytes]:
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        # The error's own message may show a part of a secret.
        raise SettingsError(f"{where} is not TOML") from None
    if set(given) != {"keys", "index"} or not isinstance(given["keys"], list) or not isinstance(given["index"], dict):
        raise SettingsError(f"{where} must hold [[keys]] and [index], and nothing else")
    entries = [_entry(table, where) for table in given["keys"]]
    ids = [entry.key.key_id for entry in entries]
    if not entries or len(set(ids)) != len(ids):
        raise SettingsError(f"{where} needs at least one key, each under an id of its own")
    return entries, _secret(given["index"].get("secret"), where, "[index]")


def _entry(table: Any, where: str) -> _Entry:
    if not isinstance(table, dict) or not isinstance(table.get("id"), str) or not _ID.fullmatch(table["id"]):
        raise SettingsError(f"{where}: each of [[keys]] needs an id of lower-case letters and digits")
    return _Entry(Key(table["id"], _secret(table.get("secret"), where, table["id"])), str(table.get("created", "")))


def _secret(text: Any, where: str, name: str) -> bytes:
    try:
        raw = bytes.fromhex(text)
    except (TypeError, ValueError):
        raise SettingsError(f"{where}: the secret of {name} is not hex") from None
    if len(raw) < _SECRET_BYTES:
        raise SettingsError(f"{where}: the secret of {name} is shorter than {_SECRET_BYTES} bytes")
    return raw


def _write(path: Path, entries: list[_Entry], index: bytes) -> None:
    """Replace the file as a whole. After a power cut the old or the new file is there."""
    text = _HEAD + "".join(
        f'\n[[keys]]\nid = "{e.key.key_id}"\nsecret = "{e.key.secret.hex()}"\ncreated = "{e.created}"\n'
        for e in entries
    )
    text += f'\n[index]\nsecret = "{index.hex()}"\n'
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.unlink(missing_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        beside.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise SettingsError(f"cannot write {path}: {error.strerror}") from None


@contextmanager
def _folder_lock(path: Path) -> Iterator[None]:
    """Hold the lock for one process. The folder itself is locked, so that no lock file is left over."""
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise SettingsError(f"cannot open the folder of {path}: {error.strerror}") from None
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
