"""Receive ended sessions on PostgreSQL: a connection of its own asks ten times a second.

Triggers write a row for each change that ends a token, in the transaction that ends it (migration 0002). So it does
not matter which program ended it, or whether a person with psql did. Rows carry their transaction's number. Each
question asks for the rows that the question before cannot have seen, so that none is missed in any order of commits.
NOTIFY is not used: it takes a lock of the whole server at each commit.

A feed that was silent for long drops everything that was believed before. (docs/contracts/core.md section 3.3.)
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

import asyncpg
import structlog

from menshen.adapters.storage.cached_checks import CheckCache
from menshen.adapters.storage.sql.engines.connections import connect
from menshen.adapters.storage.sql.engines.patience import USUAL, Patience
from menshen.adapters.storage.sql.statements.reader import Statement, Statements

EVERY_SECONDS: Final = 0.1
SILENT_SECONDS: Final = 20.0
"""A third of how long rows are kept: after such a silence, rows may have been missed."""

KEPT_MS: Final = 60_000
_SWEEP_SECONDS: Final = 10.0

log = structlog.get_logger("menshen.revocations")


class RevocationStatements(Statements, file="revocations"):
    """Declares the statements of `revocations.sql`."""

    news: Statement
    sweep: Statement


class RevocationFeed:
    """Keep a `CheckCache` true while it runs. `on_lag` gets, in seconds, how late each piece of news came."""

    def __init__(
        self,
        url: str,
        cache: CheckCache,
        on_lag: Callable[[float], None] | None = None,
        patience: Patience = USUAL,
    ) -> None:
        """Prepare. The work begins with `start`."""
        self._patience = patience
        self._url = url
        self._st = RevocationStatements("postgresql")
        self._cache = cache
        self.on_lag = on_lag or (lambda _: None)
        self._horizon = 0
        self._epoch: int | None = None
        self._told: frozenset[int] = frozenset()
        self._last = float("-inf")
        self._swept = time.monotonic()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to listen, on the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._listen(), name="revocations")

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _listen(self) -> None:
        quiet = False
        while True:
            connection: Any = None
            try:
                connection = await connect(self._url, self._patience)
                while True:
                    await self._ask(connection)
                    if quiet:
                        log.info("revocations.heard_again")
                        quiet = False
                    await asyncio.sleep(EVERY_SECONDS)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                if not quiet:
                    log.warning("revocations.silent", kind=type(error).__name__)
                    quiet = True
            except asyncpg.InternalClientError as error:
                log.warning("revocations.silent", kind=type(error).__name__)
            finally:
                if connection is not None:
                    connection.terminate()
            await asyncio.sleep(2 * EVERY_SECONDS)

    async def _ask(self, connection: Any) -> None:
        # What was committed before this moment is in the answer.
        asked = time.monotonic()
        question = self._st.news
        values = question.arguments({"horizon": self._horizon, "kept_ms": KEPT_MS})
        news = await connection.fetch(question.text, *values, timeout=self._patience.news)
        horizon, epoch = news[0][0], news[0][1]
        first = asked - self._last > SILENT_SECONDS
        # A horizon that went back, or another epoch, is another database than before.
        if first or horizon < self._horizon or epoch != self._epoch:
            self._cache.drop_all()
        told = set()
        for _, _, _, number, token, account, lag_ms in news:
            if number is None:
                continue
            told.add(number)
            if number in self._told:
                continue
            if not first:
                self.on_lag(max(lag_ms, 0) / 1000)
            if token is not None:
                self._cache.drop_token(bytes(token))
            elif account is not None:
                self._cache.drop_account(account)
            else:
                self._cache.drop_all()
        self._told, self._horizon, self._epoch, self._last = frozenset(told), horizon, epoch, asked
        self._cache.heard(asked)
        if asked - self._swept > _SWEEP_SECONDS:
            self._swept = asked
            await connection.execute(self._st.sweep.text, KEPT_MS, timeout=self._patience.news)
