"""A scratch database to try something out in: of today's schema, empty, in the data directory, gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from menshen.adapters.sealing import KeyringSealer
from menshen.adapters.storage.sql.engines.sqlite import SqliteStore
from menshen.adapters.storage.sql.schema.migrate import migrate_sqlite
from menshen.app.installation.opening import Installation
from menshen.ports.store.store import Store


@asynccontextmanager
async def scratch_store(here: Installation) -> AsyncIterator[Store]:
    """An SQLite database beside the installation's own data, under the same keys and as private."""
    # Without a data directory (PostgreSQL, keys from elsewhere) it is the system's: private too.
    data = here.settings.data_dir
    with tempfile.TemporaryDirectory(prefix="rehearsal-", dir=data if data.is_dir() else None) as folder:
        path = Path(folder) / "scratch.db"
        migrate_sqlite(path)
        store = SqliteStore(path, KeyringSealer(here.keyring))
        try:
            yield store
        finally:
            await store.close()
