"""Notice on SQLite that another process has written: it may have ended sessions that this one remembers.

The file is asked ten times a second whether another process has committed. If so, the cache forgets everything and
reads it again on demand, which costs microseconds. Other workers of the same parent signal at once, by the cache's
signal. (docs/contracts/core.md section 3.3; decision 0021.)
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from menshen.adapters.storage.cached_checks import CheckCache
from menshen.adapters.storage.sql.engines.sqlite import SqliteStore
from menshen.core.problems import Problem

EVERY_SECONDS: Final = 0.1


class FileWatch:
    """Keep a `CheckCache` true while it runs: a cache without news does not trust its entries."""

    def __init__(self, store: SqliteStore, cache: CheckCache) -> None:
        """Prepare. The work begins with `start`."""
        self._store = store
        self._cache = cache
        self._version: int | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look, on the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._look_for_ever(), name="file-watch")

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def look(self) -> None:
        """Forget everything if another process has committed since the last look."""
        # What was committed before this moment is in the answer.
        asked = self._cache.clock()
        version = await self._store.data_version()
        if version != self._version:
            self._cache.drop_all()
            self._version = version
        self._cache.confirm_all(asked)

    async def _look_for_ever(self) -> None:
        while True:
            # Without news there is no trust: checks read the file until it answers again.
            with suppress(Problem):
                await self.look()
            await asyncio.sleep(EVERY_SECONDS)
