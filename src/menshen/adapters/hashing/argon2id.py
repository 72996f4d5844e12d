"""Hash passwords with libsodium's argon2id, one thread for each core, behind a short queue. (RFC 9106; decision 0005.)

Each call costs at least one argon2id of the current parameters, so that its time reveals nothing. A legacy hash is
verified together with a dummy, and an unknown account against a dummy. If more expensive hashes may be stored, each
result says how much earlier it came than theirs. (Decision 0030.)
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter, thread_time
from typing import Any, ParamSpec, TypeVar

import nacl.exceptions
from nacl.pwhash import argon2id

from menshen.adapters.hashing.argon2_texts import affordable
from menshen.adapters.hashing.floor import RefusalFloor, dummy_of
from menshen.adapters.hashing.legacy import is_legacy, verify_legacy
from menshen.core.login.hash_costs import argon2_prefix, argon2_work
from menshen.core.problems import Problem, ProblemCode
from menshen.ports.hashing import Verified

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Parameters:
    """Hold memory in KiB and passes. Lanes are always 1. The default is OWASP's minimum."""

    memory_kib: int = 19 * 1024
    passes: int = 2


class Argon2idHasher:
    """Implement `menshen.ports.hashing.PasswordHasher`."""

    def __init__(
        self,
        parameters: Parameters,
        *,
        threads: int = 0,
        queue: int = 64,
        niceness: int = 0,
        elapsed_ms: Callable[[], float] = lambda: perf_counter() * 1000,
        worked_ms: Callable[[], float] = lambda: thread_time() * 1000,
    ) -> None:
        """Make the pool. `threads` 0 takes one for each core; more than `queue` waiting callers are refused at once.

        `niceness` is that of the threads, 0 to 19: with more, other work gets a core first (decision 0064).
        `elapsed_ms` measures the time of a verification, `worked_ms` the processor time of the calling thread.
        """
        self._parameters = parameters
        self._elapsed_ms = elapsed_ms
        self._worked_ms = worked_ms
        self._threads = threads or len(os.sched_getaffinity(0))
        self._most = self._threads + queue
        self._busy = 0
        self._placed = 0
        self._pool = ThreadPoolExecutor(self._threads, "hash", initializer=_yield_to_others, initargs=(niceness,))
        self._prefix = argon2_prefix(parameters.memory_kib, parameters.passes)
        # Salt and digest are zeros: no password matches, and verifying one takes the usual time.
        self._dummy = f"{self._prefix}{'A' * 22}${'A' * 43}"
        self._floor = RefusalFloor(self._prefix)

    @property
    def head(self) -> str:
        return self._prefix

    @property
    def waiting(self) -> int:
        """Count the calls that run or wait, for the metrics."""
        return self._busy

    @property
    def full(self) -> bool:
        """Check if the queue is full."""
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
        verified, took = await self._in_pool(self._timed, self._elapsed_ms, stored, password)
        short = self._floor.short(stored, took)
        return replace(verified, short_ms=short) if short else verified

    def expect(self, heads: Collection[str]) -> None:
        self._floor.expect(heads)

    async def learn(self) -> None:
        # One at a time, so that logins lose at most one thread.
        while head := self._floor.untimed():
            # Processor time is measured, because it does not depend on other load.
            _, worked = await self._in_pool(self._timed, self._worked_ms, dummy_of(head), b"no password")
            self._floor.note(head, worked)

    def close(self) -> None:
        """Wait for running calls and refuse all others."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def _in_pool(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._busy >= self._most:
            raise Problem(ProblemCode.OVERLOADED, "hash queue full", 1)
        self._busy += 1
        try:
            future = asyncio.get_running_loop().run_in_executor(self._pool, partial(work, *args, **kwargs))
            # A cancelled caller must not free its place before its hash has ended.
            future.add_done_callback(self._release)
        except RuntimeError as error:  # the pool was shut down
            self._busy -= 1
            raise Problem(ProblemCode.UNAVAILABLE, "shutting down", 1) from error
        try:
            return await asyncio.shield(future)
        except MemoryError as error:
            raise Problem(ProblemCode.OVERLOADED, "no memory to hash", 1) from error

    def _release(self, future: asyncio.Future[Any]) -> None:
        self._busy -= 1
        if not future.cancelled():
            future.exception()

    def _hash(self, password: bytes) -> str:
        made = argon2id.str(password, opslimit=self._parameters.passes, memlimit=self._parameters.memory_kib * 1024)
        return made.rstrip(b"\0").decode()

    def _timed(self, clock: Callable[[], float], stored: str, password: bytes | None) -> tuple[Verified, float]:
        """Return the result and its time (ms) in the thread. The time in the queue is the same for all and left out."""
        begun = clock()
        verified = self._verify(stored, password)
        return verified, clock() - begun

    def _verify(self, stored: str, password: bytes | None) -> Verified:
        if password is None:
            self._matches(self._dummy, b"")
            return Verified(right=False)
        if is_legacy(stored):
            right = verify_legacy(stored, password)
            # The one argon2id that each call costs. A right password costs another one for its new hash.
            self._matches(self._dummy, password)
            return Verified(right, outdated=True)
        if not affordable(stored):
            self._matches(self._dummy, password)
            return Verified(right=False, readable=not stored)
        right = self._matches(stored, password)
        if stored.startswith(self._prefix):
            return Verified(right)
        self._add_missing_work(stored, password)
        return Verified(right, outdated=True)

    def _add_missing_work(self, stored: str, password: bytes) -> None:
        """Add the work that a cheaper hash saved. Else its account would answer sooner than an unknown one (EN-2)."""
        today = self._parameters
        memory = today.memory_kib - argon2_work(stored) // today.passes
        if memory * 1024 >= argon2id.MEMLIMIT_MIN:
            salt = bytes(argon2id.SALTBYTES)
            argon2id.kdf(argon2id.BYTES_MIN, password, salt, opslimit=today.passes, memlimit=memory * 1024)

    @staticmethod
    def _matches(stored: str, password: bytes) -> bool:
        try:
            return argon2id.verify(stored.encode(), password)
        except (nacl.exceptions.CryptoError, ValueError):
            return False


def _yield_to_others(niceness: int) -> None:
    """Raise the thread's niceness, so that short work such as the event loop's goes first. Linux has it per thread."""
    if sys.platform == "linux" and niceness:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
