"""A whole server that kills itself at one point of one call, as `kill -9` from outside could only by chance.

A point is before each statement of a transaction, and after each COMMIT. Of these the *edges* alone differ in what has
happened: before and after a COMMIT of changes. The server runs in a process of its own, which is forked from one that
has everything imported. Its background tasks are left to the site's other servers: their transactions are no points.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import socket
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import asyncpg

from menshen.app import asgi
from menshen.app.process.serve import serve
from menshen.app.settings.reader import load_settings
from menshen.app.world import SystemWorld
from tests.faults.site import Site
from tests.faults.waiting import GUARD
from tests.server import free_port

_CHANGES = re.compile(r"\b(INSERT|UPDATE \w+ SET|DELETE)\b")
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__, "menshen.adapters.passkeys.library"])


class Points:
    """Count the points of this process since `arm`, and die at one of them."""

    def __init__(self) -> None:
        self.at = 0
        self.edges_only = False
        self.passed = 0

    def arm(self, at: int, *, edges_only: bool) -> None:
        self.passed, self.at, self.edges_only = 0, at, edges_only

    def __call__(self, *, is_edge: bool) -> None:
        if not self.at or (self.edges_only and not is_edge):
            return
        self.passed += 1
        if self.passed == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
            # Another thread may be the first to die, and this one must not get any further.
            threading.Event().wait()


POINTS = Points()


class _File(sqlite3.Connection):
    """A connection to SQLite with points in it."""

    changes_before = 0

    def execute(self, text: str, *arguments: Any) -> sqlite3.Cursor:
        if text != "COMMIT":
            # A look for what other processes changed is a transaction, too: it has no point of its own.
            if self.in_transaction and not text.startswith(("PRAGMA", "SAVEPOINT", "RELEASE")):
                POINTS(is_edge=False)
            return super().execute(text, *arguments)
        is_edge = self.total_changes > self.changes_before
        if is_edge:
            POINTS(is_edge=True)
        done = super().execute(text, *arguments)
        if is_edge:
            self.changes_before = self.total_changes
            POINTS(is_edge=True)
        return done


def _put_points_in() -> None:
    """Put points into each connection that this process opens from now on."""
    connect = sqlite3.connect
    sqlite3.connect = lambda *a, **given: connect(*a, factory=_File, **given)  # type: ignore[assignment]
    changed = set[int]()
    for name in ("execute", "fetch", "fetchrow", "fetchmany"):
        setattr(asyncpg.Connection, name, _with_points(getattr(asyncpg.Connection, name), changed))


def _with_points(inner: Any, changed: set[int]) -> Any:
    """`changed` holds the connections whose transaction has changed something."""

    async def call(self: Any, text: str, *arguments: Any, **given: Any) -> Any:
        ends = text == "COMMIT"
        is_edge = ends and id(self) in changed
        if is_edge or (not ends and self.is_in_transaction()):
            POINTS(is_edge=is_edge)
        done = await inner(self, text, *arguments, **given)
        if is_edge:
            POINTS(is_edge=True)
        if ends or text.startswith("BEGIN"):
            changed.discard(id(self))
        elif _CHANGES.search(text):
            changed.add(id(self))
        return done

    return call


def _run(data: Path, environ: Mapping[str, str], port: int, log: Path, lead: Connection) -> None:
    """Serve in this process until it dies. `lead` says when to arm, and asks how many points were passed."""
    with log.open("ab") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    _put_points_in()
    asgi.background = _no_background  # type: ignore[assignment]

    def obey() -> None:
        while True:
            try:
                at, edges_only = lead.recv()
            except EOFError:
                # The test is gone.
                os._exit(1)
            passed = POINTS.passed
            POINTS.arm(at, edges_only=edges_only)
            lead.send(passed)

    settings = load_settings(None, {**environ, "MENSHEN_SERVER__PORT": str(port)}, data)
    threading.Thread(target=obey, daemon=True).start()
    serve(settings, SystemWorld(), lambda _: lead.send("listening"))


@dataclass
class DyingServer:
    """One such server, as the test holds it."""

    port: int
    process: Any
    lead: Connection

    def arm(self, at: int, *, edges_only: bool) -> int:
        """Let it die at the `at`-th point from now on, 0: at none. Return how many it passed since the last time."""
        self.lead.send((at, edges_only))
        return int(self.lead.recv())

    def has_died(self) -> bool:
        """Say whether it dies by itself, at its point."""
        self.process.join(GUARD)
        return bool(self.process.exitcode == -signal.SIGKILL)

    def kill(self) -> None:
        if self.process.is_alive():
            self.process.kill()
        self.process.join(GUARD)


@asynccontextmanager
async def _no_background(*_: object) -> AsyncIterator[None]:
    yield


@contextmanager
def dying_server(site: Site) -> Iterator[DyingServer]:
    """A server of the site that serves already. It is dead after the block."""
    ours, theirs = _CONTEXT.Pipe()
    port, log = free_port(), site.data.parent / f"{site.data.name}.log"
    environ = {name: value for name, value in site.start_environ.items() if name.startswith("MENSHEN_")}
    process = _CONTEXT.Process(target=_run, args=(site.data, environ, port, log, theirs), daemon=True)
    process.start()
    theirs.close()
    made = DyingServer(port, process, ours)
    try:
        assert ours.poll(GUARD), "it does not start"
        assert ours.recv() == "listening"
        _wait_for(port)
        yield made
    finally:
        made.kill()
        ours.close()


def _wait_for(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=GUARD):
        pass
