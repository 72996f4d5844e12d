"""Confirm on PostgreSQL what is remembered: a connection of its own asks ten times a second.

A snapshot names every transaction that has committed. While it stays the same, no row has changed, and
everything remembered is confirmed. Else the rows of what was used lately are read again, by one statement for many.
The statement that ended a session, the length of its transaction and its triggers make no difference: what counts is
what a read of the database says. NOTIFY is not used: it takes a lock of the whole server at each commit.
(docs/contracts/core.md section 3.3; decision 0049.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, Final

import structlog

from menshen.adapters.storage.cached_checks import CheckCache
from menshen.adapters.storage.sql.engines.connecting import FAILURES, address_of, connect, frame_of, framed
from menshen.adapters.storage.sql.engines.faults import fault_of
from menshen.adapters.storage.sql.engines.patience import USUAL, Patience
from menshen.adapters.storage.sql.repositories.sessions import checked_token_of
from menshen.adapters.storage.sql.statements.reader import Statement, Statements
from menshen.core.problems import Problem
from menshen.ports.store.sessions import CheckedToken

EVERY_SECONDS: Final = 0.1

KEPT_MS: Final = 60_000
"""Programs before this one read the rows of `revocations` for so long."""

_SWEEP_SECONDS: Final = 10.0

log = structlog.get_logger("menshen.revocations")


class WatchStatements(Statements, file="snapshot_watch"):
    """Declare the statements of `snapshot_watch.sql`."""

    snapshot: Statement
    check_all: Statement
    sweep: Statement


class SnapshotWatch:
    """Keep a `CheckCache` true while it runs. `on_lag` gets, in seconds, how late at most each end was noticed."""

    def __init__(
        self,
        url: str,
        cache: CheckCache,
        on_lag: Callable[[float], None] | None = None,
        patience: Patience = USUAL,
    ) -> None:
        """Prepare. The work begins with `start`."""
        self._patience = patience
        self._address = address_of(url)
        self._frame = frame_of(patience)
        self._st = WatchStatements("postgresql")
        self._cache = cache
        self.on_lag = on_lag or (lambda _: None)
        self._snapshot: str | None = None
        self._swept = cache.clock()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look, on the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._look_for_ever(), name="snapshot-watch")

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def look(self, connection: Any) -> None:
        """Confirm what is remembered, all of it or what was used lately."""
        # What was committed before this moment is in the answer.
        asked = self._cache.clock()
        snapshot = await connection.fetchval(self._st.snapshot.text, timeout=self._patience.news)
        if snapshot == self._snapshot:
            self._cache.confirm_all(asked)
            return

        async def check_all(tokens: Sequence[bytes]) -> Mapping[bytes, CheckedToken]:
            rows = await connection.fetch(self._st.check_all.text, tokens, timeout=self._patience.news)
            return {bytes(token): checked_token_of(row) for token, *row in rows}

        for age in await self._cache.confirm_used(asked, check_all):
            self.on_lag(age)
        self._snapshot = snapshot

    async def _look_for_ever(self) -> None:
        quiet = False
        while True:
            connection: Any = None
            # It may be another database than before.
            self._snapshot = None
            try:
                connection, pooled = await connect(self._address, self._patience)
                while True:
                    async with framed(connection, self._frame) if pooled else nullcontext():
                        await self.look(connection)
                        await self._sweep(connection)
                    if quiet:
                        log.info("revocations.heard_again")
                        quiet = False
                    await asyncio.sleep(EVERY_SECONDS)
            except (Problem, *FAILURES) as error:
                if not quiet:
                    fault = error if isinstance(error, Problem) else fault_of(error, self._address)
                    log.warning("revocations.silent", kind=type(error).__name__, detail=str(fault))
                    quiet = True
            finally:
                if connection is not None:
                    connection.terminate()
            await asyncio.sleep(2 * EVERY_SECONDS)

    async def _sweep(self, connection: Any) -> None:
        now = self._cache.clock()
        if now - self._swept > _SWEEP_SECONDS:
            self._swept = now
            await connection.execute(self._st.sweep.text, KEPT_MS, timeout=self._patience.news)
