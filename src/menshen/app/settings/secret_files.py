"""Read files that hold secrets, and judge who else can read them: one rule for keys.toml and each `…_file`.

A file is its owner's alone. A platform such as Kubernetes mounts secrets for a group, which cannot be changed. Such
a file is accepted with a note if the group is one of this process's.
(Decision 0062, docs/security/attacks.md LG-5, LG-9.)
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Final

from menshen.app.settings.errors import SettingsError

_ANYBODY_ELSE: Final = stat.S_IRWXG | stat.S_IRWXO


class Readers(Enum):
    """Say who can read a file: its owner; the owner and this process's group; or others, too."""

    OWNER = auto()
    GROUP = auto()
    OTHERS = auto()


@dataclass(frozen=True, slots=True)
class SecretText:
    """Hold the text of a secret file, and who can read the file."""

    text: str
    readers: Readers


def read_secret_text(path: Path) -> SecretText:
    """Read a file. The mode is that of the open file, so that the file cannot be swapped between two calls.

    Raises:
        SettingsError: it cannot be read, or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            fixed = status.st_uid != os.geteuid() or bool(os.fstatvfs(file.fileno()).f_flag & os.ST_RDONLY)
            text = file.read().decode("utf-8")
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"cannot read {path}: not UTF-8") from None
    return SecretText(text, judge_readers(status.st_mode, status.st_gid, {os.getegid(), *os.getgroups()}, fixed=fixed))


def judge_readers(mode: int, group: int, groups: set[int], *, fixed: bool) -> Readers:
    """Say who can read a file of `mode` and `group`.

    `groups` are those of this process. `fixed`: this process cannot change the mode, because the file is another user's
    or its file system is read-only. A file whose mode can be changed must be its owner's alone.
    """
    others = stat.S_IMODE(mode) & _ANYBODY_ELSE
    if not others:
        return Readers.OWNER
    return Readers.GROUP if others == stat.S_IRGRP and fixed and group in groups else Readers.OTHERS


def describe_readers(readers: Readers, path: Path) -> str:
    """Return the sentence for a file that others than its owner can read, "" for one that they cannot."""
    match readers:
        case Readers.OWNER:
            return ""
        case Readers.GROUP:
            return f"{path} can be read by its group, which is one of this process's: give it no other members"
        case Readers.OTHERS:
            return f"{path} can be read by others than its owner"
