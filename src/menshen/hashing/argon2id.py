"""argon2id by libsodium, in a pool as wide as the cores behind a short queue. (RFC 9106; decision 0005.)

Each call costs exactly one argon2id of today's parameters on every path, so that time tells nothing:
a legacy hash is judged beside a dummy one, and an unknown account is judged against a dummy.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, ParamSpec, TypeVar

import nacl.exceptions
from nacl.pwhash import argon2id

from menshen.core.problems import Problem, ProblemCode
from menshen.hashing.legacy import is_legacy, verify_legacy
from menshen.ports.hashing import Verified

P = ParamSpec("P")
T = TypeVar("T")

_ARGON2 = re.compile(
    r"\$argon2(?P<kind>id|i)\$v=19\$m=(?P<m>[0-9]{1,7}),t=(?P<t>[0-9]{1,2}),p=(?P<p>[0-9]{1,2})"
    r"\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}",
    re.ASCII,
)
MOST_KIB = 256 * 1024
MOST_WORK = 1024 * 1024
NICE = 10
"""How far hashing threads stand behind everything else that wants a core. (Decision 0024.)"""

_LONGEST = 128
"""libsodium's limit for a hash text."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Memory in KiB and passes; lanes are always 1. OWASP's minimum by default."""

    memory_kib: int = 19 * 1024
    passes: int = 2


class Argon2idHasher:
    """`menshen.ports.hashing.PasswordHasher`."""

    def __init__(self, parameters: Parameters, *, threads: int = 0, queue: int = 64) -> None:
        """`threads` 0 takes one for each core; more than `queue` waiting callers are refused at once."""
        self._parameters = parameters
        self._threads = threads or len(os.sched_getaffinity(0))
        self._most = self._threads + queue
        self._busy = 0
        self._placed = 0
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="hash", initializer=_yield_to_others)
        self._prefix = f"$argon2id$v=19$m={parameters.memory_kib},t={parameters.passes},p=1$"
        # A salt and a digest of zeros: no password has it, and checking one takes what it always takes.
        self._dummy = f"{self._prefix}{'A' * 22}${'A' * 43}"

    @property
    def waiting(self) -> int:
        """Calls under way or queued, for the metrics."""
        return self._busy

    @property
    def full(self) -> bool:
        """Whether no place is free."""
        return max(self._placed, self._busy) >= self._most

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        if self.full:
            raise Problem(ProblemCode.OVERLOADED, "hash queue full", 1)
        self._placed += 1
        try:
            yield
        finally:
            self._placed -= 1

    async def hash(self, password: bytes) -> str:
        return await self._in_pool(self._hash, password)

    async def verify(self, stored: str, password: bytes | None) -> Verified:
        return await self._in_pool(self._verify, stored, password)

    def close(self) -> None:
        """Let the running ones end and refuse the rest."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def _in_pool(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._busy >= self._most:
            raise Problem(ProblemCode.OVERLOADED, "hash queue full", 1)
        self._busy += 1
        try:
            future = asyncio.get_running_loop().run_in_executor(self._pool, partial(work, *args, **kwargs))
            # A caller that goes away does not free its place before the hash has ended.
            future.add_done_callback(self._leave)
        except RuntimeError as error:  # the pool was shut down
            self._busy -= 1
            raise Problem(ProblemCode.UNAVAILABLE, "shutting down", 1) from error
        try:
            return await asyncio.shield(future)
        except MemoryError as error:
            raise Problem(ProblemCode.OVERLOADED, "no memory to hash", 1) from error

    def _leave(self, future: asyncio.Future[Any]) -> None:
        self._busy -= 1
        if not future.cancelled():
            future.exception()

    def _hash(self, password: bytes) -> str:
        made = argon2id.str(password, opslimit=self._parameters.passes, memlimit=self._parameters.memory_kib * 1024)
        return made.rstrip(b"\0").decode()

    def _verify(self, stored: str, password: bytes | None) -> Verified:
        if password is None:
            self._matches(self._dummy, b"")
            return Verified(right=False)
        if is_legacy(stored):
            right = verify_legacy(stored, password)
            # The one argon2id that everybody pays; a right one pays another for its new hash.
            self._matches(self._dummy, password)
            return Verified(right, outdated=True)
        if not _affordable(stored):
            self._matches(self._dummy, password)
            return Verified(right=False)
        right = self._matches(stored, password)
        if stored.startswith(self._prefix):
            return Verified(right)
        self._even_out(stored, password)
        return Verified(right, outdated=True)

    def _even_out(self, stored: str, password: bytes) -> None:
        """Add what a hash of lighter parameters spared, or its account would answer sooner than nobody's (EN-2)."""
        found, today = _ARGON2.fullmatch(stored), self._parameters
        spent = int(found["m"]) * int(found["t"]) if found else 0
        memory = today.memory_kib - spent // today.passes
        if memory * 1024 >= argon2id.MEMLIMIT_MIN:
            salt = bytes(argon2id.SALTBYTES)
            argon2id.kdf(argon2id.BYTES_MIN, password, salt, opslimit=today.passes, memlimit=memory * 1024)

    @staticmethod
    def _matches(stored: str, password: bytes) -> bool:
        try:
            return argon2id.verify(stored.encode(), password)
        except (nacl.exceptions.CryptoError, ValueError):
            return False


def _yield_to_others() -> None:
    """On Linux a thread has a niceness of its own: short work, the event loop's above all, goes before a long hash."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


def _affordable(stored: str) -> bool:
    found = _ARGON2.fullmatch(stored)
    if found is None or len(stored) >= _LONGEST:
        return False
    memory, passes, lanes = int(found["m"]), int(found["t"]), int(found["p"])
    return 8 * lanes <= memory <= MOST_KIB and passes >= 1 and memory * passes <= MOST_WORK and lanes >= 1
