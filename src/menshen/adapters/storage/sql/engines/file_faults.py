"""Say in a sentence why an SQLite file cannot be used: start, commands and `menshen check` say the same.

Only a lock that another process holds ends by itself. (docs/operate/operations.md, decision 0061.)
"""

from __future__ import annotations

import os
import pwd
import sqlite3
from pathlib import Path
from typing import Final

from menshen.core.problems import Problem, ProblemCode
from menshen.ports.store.unfit import UnfitError

_LEAST_FREE: Final = 1_000_000
"""Bytes that a new database needs: its tables alone take half of them."""

_PRIMARY: Final = 0xFF
_WORDS: Final[dict[int, str]] = {
    sqlite3.SQLITE_NOTADB: "file is not a database: name another one, or restore a backup",
    sqlite3.SQLITE_CORRUPT: "it is damaged: restore a backup",
    sqlite3.SQLITE_FULL: "its disk is full: free space there",
    sqlite3.SQLITE_CANTOPEN: "unable to open database file",
    sqlite3.SQLITE_READONLY: "it cannot be written",
    sqlite3.SQLITE_PERM: "it cannot be written",
    sqlite3.SQLITE_IOERR: "its disk failed: look at the system's log",
}


def file_fault(error: sqlite3.Error, path: Path) -> Problem:
    """Return the fault behind `error`: `UnfitError`, or `Problem` where another process holds the lock."""
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return Problem(ProblemCode.UNAVAILABLE, f"another process holds the lock of {path}", 1)
    why = why_unusable(path) or _WORDS.get(code) or f"{getattr(error, 'sqlite_errorname', type(error).__name__)}"
    return UnfitError(f"cannot open {path}: {why}")


def refuse_unusable(path: Path) -> None:
    """Raise UnfitError if this process may not write the file, those beside it, or their folder. Changes nothing."""
    if why := why_unusable(path):
        raise UnfitError(f"cannot open {path}: {why}")


def why_unusable(path: Path) -> str | None:
    """Return why this process cannot write the file or what SQLite puts beside it, and what to do; else None."""
    folder = path.parent
    try:
        if not folder.is_dir():
            return None
        for file in (path, *(path.with_name(f"{path.name}{end}") for end in ("-wal", "-shm", ".lock"))):
            if file.is_dir():
                return f"{file} is a folder: name a file"
            if file.exists() and not file.is_file():
                return f"{file} is no plain file: name another one"
            if file.exists() and not os.access(file, os.R_OK | os.W_OK, effective_ids=True):
                return _why_closed(file)
        if not os.access(folder, os.W_OK | os.X_OK, effective_ids=True):
            return _why_closed(folder)
        space = os.statvfs(folder)
    except OSError as error:
        return f"{error.strerror}{_whose(folder)}"
    if not path.exists() and space.f_blocks and space.f_bavail * space.f_frsize < _LEAST_FREE:
        return f"the disk of {folder} is full: free space there"
    return None


def _why_closed(place: Path) -> str:
    if os.statvfs(place).f_flag & os.ST_RDONLY:
        return f"the disk of {place} is read-only: mount it for writing"
    return f"{place} cannot be written{_whose(place)}"


def _whose(place: Path) -> str:
    """Name the owner of `place` and the user of this process, where they differ, with the remedy."""
    try:
        owner = place.stat().st_uid
    except OSError:
        return f" by the user {_name(os.geteuid())}: give it the right to enter the folder"
    if owner != os.geteuid():
        return (
            f": it belongs to {_name(owner)}, and this process runs as {_name(os.geteuid())}; "
            f"chown it, or run as {_name(owner)}"
        )
    return ": give its owner the right to write (chmod u+rw)"


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"
