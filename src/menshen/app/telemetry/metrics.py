"""What is measured: Prometheus metrics of every use case, and traces where OpenTelemetry is installed.

Flows are wrapped here, so they know nothing of it. No label holds an identifier: only names of dialects,
flows and outcomes, each from a closed list. With several workers the counts of all are told, whichever of
them is asked: each keeps its own in a file of `PROMETHEUS_MULTIPROC_DIR`. (docs/contracts/core.md section 5.5.)
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from menshen.adapters.hashing.argon2id import Argon2idHasher
from menshen.adapters.storage.cached_checks import CachedStore
from menshen.app.telemetry.tracing import Tracer
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Bearer
from menshen.flows.catalog import Flows

MULTIPROCESS_DIR: Final = "PROMETHEUS_MULTIPROC_DIR"
_SAMPLED: Final = 16
"""One token check in so many is timed: it takes microseconds, and looking at the clock does too."""

_FAST = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
_SLOW = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

LOGINS = Counter("menshen_logins", "Logins, by how they ended", ["dialect", "method", "outcome"])
CODES_SENT = Counter("menshen_codes_sent", "Codes asked for, by how that ended", ["dialect", "outcome"])
CODES_VERIFIED = Counter("menshen_codes_verified", "Codes tried outside of logins", ["dialect", "outcome"])
TOKEN_CHECKS = Counter("menshen_token_checks", "Tokens checked", ["outcome"])
TOKEN_CHECK_SECONDS = Histogram(
    "menshen_token_check_seconds", "Time of one in 16 of the token checks that asked the database", buckets=_FAST
)
REMEMBERED = Counter("menshen_remembered_checks", "Token checks by where the answer came from", ["source"])
FLOW_SECONDS = Histogram("menshen_flow_seconds", "Time of a use case", ["flow"], buckets=_SLOW)
REVOCATION_LAG = Histogram(
    "menshen_revocation_lag_seconds", "From a session's end on another node to hearing of it", buckets=_FAST
)
REVOCATION_SILENCE = Gauge(
    "menshen_revocation_silence_seconds", "Since revocations were heard, the longest of all workers",
    multiprocess_mode="livemax",
)  # fmt: skip
HASHES = Gauge("menshen_hashes_waiting", "Password hashes under way or queued", multiprocess_mode="livesum")
POOL = Gauge("menshen_pool", "Database connections: in use, most, and callers waiting", ["what"],
             multiprocess_mode="livesum")  # fmt: skip
AWAY = Gauge("menshen_database_away", "Workers that cannot reach the database", multiprocess_mode="livesum")

_LOGIN_METHODS = {
    "login_password": "password",
    "login_code": "code",
    "sign_up": "sign_up",
    "refresh": "refresh",
}
_COUNTED = {"send_code": CODES_SENT, "verify_code": CODES_VERIFIED, "use_code": CODES_VERIFIED}
_UNTIMED = frozenset(
    {"policy", "now", "csrf_fits", "check_token", "recall_token", "crowded", "ready", "app_by_host", "app_by_key"}
)


def instrument(flows: Flows, tracer: Tracer | None = None) -> Flows:
    """The same flows, counted and timed, and traced by `tracer`."""
    wrapped: dict[str, Any] = {
        "check_token": _checked(flows.check_token),
        "recall_token": _recalled(flows.recall_token),
        "crowded": _shed(flows.crowded),
    }
    for field in dataclasses.fields(flows):
        if field.name not in _UNTIMED:
            wrapped[field.name] = _watched(field.name, getattr(flows, field.name), tracer)
    return dataclasses.replace(flows, **wrapped)


def _watched(name: str, flow: Callable[..., Awaitable[Any]], tracer: Tracer | None) -> Callable[..., Awaitable[Any]]:
    seconds = FLOW_SECONDS.labels(name)
    method = _LOGIN_METHODS.get(name)
    counter = _COUNTED.get(name)

    def count(args: tuple[Any, ...], outcome: str) -> None:
        if method is None and counter is None:
            return
        dialect = next((a.rules.dialect for a in args if isinstance(a, Origin)), "")
        if method is not None:
            LOGINS.labels(dialect, method, outcome).inc()
        elif counter is not None:
            counter.labels(dialect, outcome).inc()

    async def watched(*args: Any) -> Any:
        began = time.perf_counter()
        outcome = "fault"
        try:
            result = await flow(*args)
            outcome = result.code.value if isinstance(result, Denied) else "granted"
            return result
        except Problem as problem:
            outcome = problem.denied.code.value
            raise
        finally:
            seconds.observe(time.perf_counter() - began)
            count(args, outcome)

    if tracer is None:
        return watched

    async def traced(*args: Any) -> Any:
        with tracer.span(f"menshen.{name}"):
            return await watched(*args)

    return traced


def _shed(crowded: Callable[[str], bool]) -> Callable[[str], bool]:
    def shed(dialect: str) -> bool:
        full = crowded(dialect)
        if full:
            LOGINS.labels(dialect, "password", ProblemCode.OVERLOADED.value).inc()
        return full

    return shed


_untold = {"good": 0, "refused": 0, "unavailable": 0}
"""Token checks that the metrics have not heard of: telling them costs more than remembering a number."""


def _tell_checks() -> None:
    for outcome, count in _untold.items():
        TOKEN_CHECKS.labels(outcome).inc(count)
        _untold[outcome] = 0


def _checked(check: Callable[[str], Awaitable[Bearer | None]]) -> Callable[[str], Awaitable[Bearer | None]]:
    observe = TOKEN_CHECK_SECONDS.observe
    clock = time.perf_counter
    turn = 0

    async def checked(token: str) -> Bearer | None:
        nonlocal turn
        turn = (turn + 1) % _SAMPLED
        began = clock() if not turn else 0.0
        try:
            bearer = await check(token)
        except Problem:
            _untold["unavailable"] += 1
            raise
        if began:
            observe(clock() - began)
        _untold["refused" if bearer is None else "good"] += 1
        return bearer

    return checked


def _recalled(recall: Callable[[str], Bearer | None]) -> Callable[[str], Bearer | None]:
    def recalled(token: str) -> Bearer | None:
        bearer = recall(token)
        if bearer is not None:
            _untold["good"] += 1
        return bearer

    return recalled


class Watch:
    """Reads what has to be looked up: queues, connections, the feed. One for each worker."""

    def __init__(self, store: CachedStore, hasher: Argon2idHasher) -> None:
        """Watch these."""
        self._hasher = hasher
        self._cache = store.cache
        self._connections = store.connections
        self._hits = self._misses = 0

    def read(self) -> None:
        """Bring the gauges up to date, and tell the checks."""
        _tell_checks()
        HASHES.set(self._hasher.waiting)
        if (pool := self._connections) is not None:
            for what, value in (("in_use", pool.in_use), ("waiting", pool.waiting), ("most", pool.most)):
                POOL.labels(what).set(value)
            AWAY.set(pool.away)
        cache = self._cache
        REVOCATION_SILENCE.set(min(cache.silence, 1e9))
        REMEMBERED.labels("memory").inc(cache.hits - self._hits)
        REMEMBERED.labels("database").inc(cache.misses - self._misses)
        self._hits, self._misses = cache.hits, cache.misses

    async def keep_reading(self, seconds: float = 1.0) -> None:
        """For ever: other workers tell of this one what it wrote down last."""
        while True:
            self.read()
            await asyncio.sleep(seconds)


def render() -> tuple[bytes, str]:
    """The metrics of all workers, and the content type."""
    _tell_checks()
    folder = os.environ.get(MULTIPROCESS_DIR)
    if not folder:
        return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
    from prometheus_client import multiprocess

    _drop_dead_workers(Path(folder))
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry), CONTENT_TYPE_LATEST


def _drop_dead_workers(folder: Path) -> None:
    """What a worker that died held is nobody's any more; what it counted stays counted."""
    for file in folder.glob("gauge_live*_*.db"):
        found = re.search(r"_(\d+)\.db$", file.name)
        if found and not Path(f"/proc/{found[1]}").exists():
            file.unlink(missing_ok=True)
