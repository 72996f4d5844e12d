"""Make a scratch database for a dry run: empty, of the current schema, deleted afterwards."""

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
    """Yield an empty SQLite store in the data directory, with the installation's keys and as private."""
    # Without a data directory (PostgreSQL, keys from elsewhere) the system's temporary folder is used: private too.
    data = here.settings.data_dir
    with tempfile.TemporaryDirectory(prefix="rehearsal-", dir=data if data.is_dir() else None) as folder:
        path = Path(folder) / "scratch.db"
        migrate_sqlite(path)
        store = SqliteStore(path, KeyringSealer(here.keyring))
        try:
            yield store
        finally:
            await store.close()
