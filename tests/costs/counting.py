"""Counts of what a call costs that do not depend on the machine: statements, commits, hashes, hops."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest

from menshen.adapters.hashing import argon2id as hashing
from menshen.adapters.storage.cached_checks import CachedStore
from menshen.adapters.storage.sql.engines.sqlite import SqliteStore
from menshen.ports.store.store import WriteTx
from tests.harness import Harness

_FRAME = re.compile(r"\s*(BEGIN|SAVEPOINT|RELEASE|COMMIT|ROLLBACK)")


@dataclass(frozen=True)
class Cost:
    """What one call took.

    `reads` and `writes` are statements outside and inside of transactions, `commits` durable ones, `trips` how often
    the database was waited for (PostgreSQL only), `hashes` argon2id runs, `threads` hand-overs to another thread,
    `turns` how often the event loop resumed the call: 1 is a call that never waited.
    """

    reads: int = 0
    writes: int = 0
    commits: int = 0
    hashes: int = 0
    threads: int = 0
    turns: int = 1
    trips: int = 0


@dataclass
class Answer:
    """What an ASGI application said."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Any:
        return json.loads(self.body)


class _Turns:
    """An awaitable around a coroutine that counts how often it was resumed."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.count = 0

    def __await__(self) -> Generator[Any, Any, Any]:
        value: Any = None
        error: BaseException | None = None
        while True:
            self.count += 1
            try:
                waited = self._inner.send(value) if error is None else self._inner.throw(error)
            except StopIteration as done:
                return done.value
            try:
                value, error = (yield waited), None
            except BaseException as thrown:  # noqa: BLE001 - it is the coroutine's, which hears it next
                value, error = None, thrown


class Meter:
    """Counts calls into one harness; one call at a time."""

    def __init__(self, h: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
        self._h = h
        self._counts: Counter[str] = Counter()
        store = h.assembled.store
        assert isinstance(store, CachedStore)
        self._cache, self._apps, self._app_pages = store.cache, store.apps, store.app_pages
        self._inner = store.inner
        self._count_hashes(monkeypatch)
        self._count_threads(monkeypatch)
        if isinstance(self._inner, SqliteStore):
            self._inner._writer.set_trace_callback(self._wrote)
            self._inner._reader.set_trace_callback(lambda _: self._add("reads"))
        else:
            self._count_trips(monkeypatch)

    async def stand_still(self) -> None:
        """End what asks the store by itself. `remember` says from now on whether checks come from memory."""
        store: Any = self._h.assembled.store
        await store._on_close()

        async def nothing(tx: WriteTx) -> None:
            pass

        # What was under way when it was cancelled has been committed when this has.
        await store.write(nothing)
        self.remember(believed=False)

    def remember(self, *, believed: bool) -> None:
        self._cache.confirm_all(math.inf if believed else -math.inf)
        # Apps and their pages are read four times a second, whoever asks: that is no call's own cost.
        self._apps.believe(math.inf)
        self._app_pages.believe(math.inf)

    async def cost(self, call: Awaitable[Answer]) -> tuple[Cost, Answer]:
        """What it cost, and what was answered."""
        self._counts.clear()
        turns = _Turns(call)
        answer = await turns
        counts = self._counts
        return Cost(
            reads=counts["reads"],
            writes=counts["writes"],
            commits=counts["commits"],
            hashes=counts["hashes"],
            threads=counts["threads"],
            turns=turns.count,
            trips=counts["trips"],
        ), answer

    def _add(self, what: str) -> None:
        self._counts[what] += 1

    def _wrote(self, text: str) -> None:
        if not (frame := _FRAME.match(text)):
            self._add("writes")
        elif frame[1] == "COMMIT":
            self._add("commits")

    def _count_hashes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real: Any = vars(hashing)["argon2id"]

        class Counting:
            @staticmethod
            def verify(*args: Any) -> Any:
                self._add("hashes")
                return real.verify(*args)

            @staticmethod
            def str(*args: Any, **kwargs: Any) -> Any:
                self._add("hashes")
                return real.str(*args, **kwargs)

        # Patched: what is counted are the calls of libsodium itself, below every seam of ours.
        monkeypatch.setattr(hashing, "argon2id", Counting)

    def _count_threads(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = ThreadPoolExecutor.submit

        def submit(pool: ThreadPoolExecutor, /, *args: Any, **kwargs: Any) -> Any:
            self._add("threads")
            return real(pool, *args, **kwargs)

        # Patched: every pool of the process is counted, those of libraries too.
        monkeypatch.setattr(ThreadPoolExecutor, "submit", submit)

    def _count_trips(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("execute", "fetch", "fetchrow", "fetchmany"):
            # Patched: what is counted are the calls of the driver itself.
            monkeypatch.setattr(asyncpg.Connection, name, self._counted(getattr(asyncpg.Connection, name)))

    def _counted(self, real: Callable[..., Any]) -> Callable[..., Any]:
        async def counted(connection: Any, text: str, *args: Any, **kwargs: Any) -> Any:
            self._add("trips")
            frame = _FRAME.match(text)
            runs = len(args[0]) if args and isinstance(args[0], list) else 1
            if frame and frame[1] == "COMMIT":
                self._add("commits")
            if not frame:
                self._counts["writes" if connection.is_in_transaction() else "reads"] += runs
            return await real(connection, text, *args, **kwargs)

        return counted


def ask(
    h: Harness, verb: str, path: str, body: Mapping[str, object] | None = None, headers: Mapping[str, str] | None = None
) -> Awaitable[Answer]:
    """A call of the ASGI application, unawaited: straight into it, with no client between."""
    raw = json.dumps(body).encode() if body is not None else b""
    sent = {"host": "127.0.0.1:8400", **(headers or {})}
    if raw:
        sent |= {"content-type": "application/json", "content-length": str(len(raw))}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": verb,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
        "client": ("127.0.0.1", 40_000),
        "server": ("127.0.0.1", 8400),
        "state": {},
    }

    async def call() -> Answer:
        answer = Answer()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": raw, "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            else:
                answer.body += message["body"]

        await h.asgi(scope, receive, send)
        return answer

    return call()
