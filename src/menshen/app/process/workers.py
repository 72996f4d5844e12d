"""Several processes on one listening socket: forked, watched, replaced when they die, stopped together.

Must not know what they serve. The parent holds no database, no loop and no thread when it forks.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import structlog

SHORT_LIFE = 2.0
"""A worker that dies younger than this (seconds) may be one that cannot live at all."""

MOST_SHORT_LIVES = 5
_FORCE_AFTER = 5.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT)

log = structlog.get_logger("menshen.workers")


def supervise(count: int, run: Callable[[], int], drain_seconds: float) -> int:
    """Keep `count` processes running `run`, whose result is their exit code, until SIGTERM or SIGINT.

    Then each gets a SIGTERM, and what is still there `drain_seconds` and a little later is killed. Returns
    0, or 1 when workers died as fast as they were started.
    """
    return WorkerPool(run, drain_seconds).keep(count)


class WorkerPool:
    def __init__(self, run: Callable[[], int], drain_seconds: float) -> None:
        self._run = run
        self._drain = drain_seconds
        self._born: dict[int, float] = {}
        self._stopping = False

    def keep(self, count: int) -> int:
        for number in _SIGNALS:
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGALRM, self._on_alarm)
        for _ in range(count):
            self._start()
        short_lives = 0
        while self._born:
            pid, status = os.wait()
            age = time.monotonic() - self._born.pop(pid, 0.0)
            if self._stopping:
                continue
            log.error("worker.died", pid=pid, code=os.waitstatus_to_exitcode(status))
            short_lives = short_lives + 1 if age < SHORT_LIFE else 0
            if short_lives >= MOST_SHORT_LIVES:
                self._stop()
            else:
                time.sleep(0.1 * short_lives)
                self._start()
        signal.alarm(0)
        return 1 if short_lives >= MOST_SHORT_LIVES else 0

    def _start(self) -> None:
        # A signal between the birth and its entry would leave a worker that nobody stops.
        with _held_back():
            if self._stopping:
                return
            pid = os.fork()
            if pid:
                self._born[pid] = time.monotonic()
                return
            for number in (*_SIGNALS, signal.SIGALRM):
                signal.signal(number, signal.SIG_DFL)
        code = 1
        try:
            code = self._run()
        finally:
            # Neither the parent's buffers nor its exit handlers are this process's to run.
            os._exit(code)

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        if not self._stopping:
            self._stop()

    def _stop(self) -> None:
        self._stopping = True
        self._tell_all(signal.SIGTERM)
        signal.setitimer(signal.ITIMER_REAL, self._drain + _FORCE_AFTER)

    def _on_alarm(self, number: int, _: FrameType | None) -> None:
        self._tell_all(signal.SIGKILL)

    def _tell_all(self, number: signal.Signals) -> None:
        for pid in list(self._born):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue


@contextmanager
def _held_back() -> Iterator[None]:
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
