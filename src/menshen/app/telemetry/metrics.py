"""Define the Prometheus metrics, read gauges, and render all of them.

No label holds an identifier: only names of dialects, flows and outcomes, each from a closed list. Each worker keeps its
counts in a file of `PROMETHEUS_MULTIPROC_DIR`, so any of them can answer for all. (docs/contracts/core.md section 5.5.)
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

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
from menshen.core.audit.events import ALARMS as EVENTS_OF_ALARM
from menshen.core.audit.events import Tag
from menshen.core.time import SECOND
from menshen.flows.background.clock import ClockWatch

MULTIPROCESS_DIR: Final = "PROMETHEUS_MULTIPROC_DIR"
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
    "menshen_revocation_lag_seconds",
    "How long, at most, a remembered session was believed after another process had ended it",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.5),
)
REVOCATION_SILENCE = Gauge(
    "menshen_revocation_silence_seconds", "Since what is remembered was confirmed, the longest of all workers",
    multiprocess_mode="livemax",
)  # fmt: skip
HASHES = Gauge("menshen_hashes_waiting", "Password hashes under way or queued", multiprocess_mode="livesum")
POOL = Gauge("menshen_pool", "Database connections: in use, most, and callers waiting", ["what"],
             multiprocess_mode="livesum")  # fmt: skip
CLOCK_LEAD = Gauge(
    "menshen_clock_doubt_seconds", "How far the clock is from what is certain, 0 within five minutes",
    multiprocess_mode="livemax",
)  # fmt: skip
CLOCK_DOUBTS = Counter("menshen_clock_doubts", "How often the clock began to be doubted")
MESSAGES = Counter("menshen_messages", "Attempts to send a message, by how they ended", ["channel", "sender", "result"])
CAPTCHAS = Counter("menshen_captcha_verified", "Tokens of captcha vendors, by how they ended", ["provider", "outcome"])
CAPTCHA_SECONDS = Histogram(
    "menshen_captcha_seconds", "Time of a question to a captcha vendor", ["provider"], buckets=_SLOW
)
SMS_HANDED_OVER = Counter(
    "menshen_sms_handed_over", "Text messages that a sender was asked to take", ["sender", "country", "verdict"]
)
SMS_SECONDS = Histogram("menshen_sms_seconds", "Time of asking a sender", ["sender"], buckets=_SLOW)
SMS_BREAKER = Gauge(
    "menshen_sms_breaker", "Whether a sender is asked: 0 closed, 1 half, 2 open, the worst of all workers", ["sender"],
    multiprocess_mode="livemax",
)  # fmt: skip
SMS_RECEIPTS = Counter("menshen_sms_receipts", "Receipts of vendors", ["sender", "outcome"])
SMS_COST = Counter("menshen_sms_cost_micros", "Estimated cost, in millionths of the operator's currency", ["sender"])
OUTBOX_WAITING = Gauge("menshen_outbox_waiting", "Messages that are not sent yet", multiprocess_mode="livemax")
OUTBOX_OLDEST = Gauge("menshen_outbox_oldest_seconds", "Age of the oldest of them", multiprocess_mode="livemax")
ALARMS = Counter("menshen_alarms", "Audit events that the operator should look at", ["event"])
AWAY = Gauge("menshen_database_away", "Workers that cannot reach the database", multiprocess_mode="livesum")


for _event in EVENTS_OF_ALARM:
    # An alert sees the first one only as a change, so the series begins at 0.
    ALARMS.labels(_event.value)


def count_alarms(events: Iterable[Tag]) -> None:
    """Count audit events of `menshen.core.audit.events.ALARMS`."""
    for event in events:
        ALARMS.labels(event.value).inc()


class TokenChecks:
    """Count token checks in plain numbers, which costs less than a metric. `flush` adds them to the metric."""

    __slots__ = ("good", "refused", "unavailable")

    def __init__(self) -> None:
        """Begin at 0."""
        self.good = self.refused = self.unavailable = 0

    def flush(self) -> None:
        """Add what was counted since the last call to `menshen_token_checks`."""
        for outcome in self.__slots__:
            TOKEN_CHECKS.labels(outcome).inc(getattr(self, outcome))
            setattr(self, outcome, 0)


class Watch:
    """Read what no event counts: queues, connections, the memory of checks. Each worker has one."""

    def __init__(
        self, store: CachedStore, hasher: Argon2idHasher, checks: TokenChecks, clocks: ClockWatch | None = None
    ) -> None:
        """Watch these."""
        self._clocks = clocks
        self._doubts = 0
        self._hasher = hasher
        self._checks = checks
        self._cache = store.cache
        self._connections = store.connections
        self._hits = self._misses = 0

    def read(self) -> None:
        """Bring the gauges and the count of token checks up to date."""
        self._checks.flush()
        HASHES.set(self._hasher.waiting)
        if (pool := self._connections) is not None:
            for what, value in (("in_use", pool.in_use), ("waiting", pool.waiting), ("most", pool.most)):
                POOL.labels(what).set(value)
            AWAY.set(pool.away)
        if (clocks := self._clocks) is not None:
            CLOCK_LEAD.set(abs(clocks.lead) / SECOND)
            CLOCK_DOUBTS.inc(clocks.doubts - self._doubts)
            self._doubts = clocks.doubts
        cache = self._cache
        REVOCATION_SILENCE.set(min(cache.silence, 1e9))
        REMEMBERED.labels("memory").inc(cache.hits - self._hits)
        REMEMBERED.labels("database").inc(cache.misses - self._misses)
        self._hits, self._misses = cache.hits, cache.misses

    async def keep_reading(self, seconds: float = 1.0) -> None:
        """Read for ever: other workers answer with what this one wrote last."""
        while True:
            self.read()
            await asyncio.sleep(seconds)


def render(checks: TokenChecks) -> tuple[bytes, str]:
    """Return the metrics of all workers, and the content type; `checks` are this worker's."""
    checks.flush()
    folder = os.environ.get(MULTIPROCESS_DIR)
    if not folder:
        return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
    from prometheus_client import multiprocess

    _drop_dead_workers(Path(folder))
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry), CONTENT_TYPE_LATEST


def _drop_dead_workers(folder: Path) -> None:
    """Drop the gauges of workers that died. Their counters stay counted."""
    for file in folder.glob("gauge_live*_*.db"):
        found = re.search(r"_(\d+)\.db$", file.name)
        if found and not Path(f"/proc/{found[1]}").exists():
            file.unlink(missing_ok=True)
