"""argon2id that tells what it is asked: work in KiB times passes, as many on every machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from menshen.adapters.hashing import argon2id as hashing
from menshen.core.login.hash_costs import argon2_work

Hashed = tuple[str, int]
"""What was called, and the work of its parameters."""


class RecordingArgon2:
    """argon2id that calls `spend` with the work of each hash before it hashes."""

    def __init__(self, real: Any, spend: Callable[[str, int], None]) -> None:
        self._real = real
        self._spend = spend

    def verify(self, stored: bytes, password: bytes) -> bool:
        self._spend("verify", argon2_work(stored.decode()))
        return bool(self._real.verify(stored, password))

    def kdf(self, *args: Any, opslimit: int, memlimit: int) -> bytes:
        self._spend("kdf", opslimit * memlimit // 1024)
        return bytes(self._real.kdf(*args, opslimit=opslimit, memlimit=memlimit))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def record_hashes(monkeypatch: pytest.MonkeyPatch, spend: Callable[[str, int], None]) -> None:
    """Let `spend` know of every argon2id of the hasher."""
    # Patched: what is counted are the calls of libsodium itself, below every seam of ours.
    monkeypatch.setattr(hashing, "argon2id", RecordingArgon2(vars(hashing)["argon2id"], spend))
