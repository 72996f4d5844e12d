"""Run several processes on one listening socket: fork them, replace dead ones, and stop them together.

Must not know what they serve. The parent has no database, no event loop and no thread when it forks.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import structlog

EARLY_SECONDS = 2.0
"""A worker that ends earlier than this (seconds) may be unable to start at all."""

MAX_EARLY_ENDS = 5
_FORCE_AFTER = 5.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT)

log = structlog.get_logger("menshen.workers")


def supervise(count: int, run: Callable[[], int], drain_seconds: float) -> int:
    """Keep `count` processes running `run`, whose result is their exit code, until SIGTERM or SIGINT.

    Then each process gets a SIGTERM. Processes that still run some seconds after `drain_seconds` are killed.
    Returns 0, or 1 if workers ended as fast as they were started.
    """
    return WorkerPool(run, drain_seconds).keep(count)


class WorkerPool:
    def __init__(self, run: Callable[[], int], drain_seconds: float) -> None:
        self._run = run
        self._drain = drain_seconds
        self._started: dict[int, float] = {}
        self._stopping = False

    def keep(self, count: int) -> int:
        for number in _SIGNALS:
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGALRM, self._on_alarm)
        for _ in range(count):
            self._start()
        early_ends = 0
        while self._started:
            pid, status = os.wait()
            age = time.monotonic() - self._started.pop(pid, 0.0)
            if self._stopping:
                continue
            log.error("worker.died", pid=pid, code=os.waitstatus_to_exitcode(status))
            early_ends = early_ends + 1 if age < EARLY_SECONDS else 0
            if early_ends >= MAX_EARLY_ENDS:
                self._stop()
            else:
                time.sleep(0.1 * early_ends)
                self._start()
        signal.alarm(0)
        return 1 if early_ends >= MAX_EARLY_ENDS else 0

    def _start(self) -> None:
        # A signal between the fork and the entry in the list would leave a worker that is never stopped.
        with _signals_blocked():
            if self._stopping:
                return
            pid = os.fork()
            if pid:
                self._started[pid] = time.monotonic()
                return
            for number in (*_SIGNALS, signal.SIGALRM):
                signal.signal(number, signal.SIG_DFL)
        code = 1
        try:
            code = self._run()
        finally:
            # A worker must neither flush the parent's buffers nor run its exit handlers.
            os._exit(code)

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        if not self._stopping:
            self._stop()

    def _stop(self) -> None:
        self._stopping = True
        self._signal_all(signal.SIGTERM)
        signal.setitimer(signal.ITIMER_REAL, self._drain + _FORCE_AFTER)

    def _on_alarm(self, number: int, _: FrameType | None) -> None:
        self._signal_all(signal.SIGKILL)

    def _signal_all(self, number: signal.Signals) -> None:
        for pid in list(self._started):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue


@contextmanager
def _signals_blocked() -> Iterator[None]:
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
