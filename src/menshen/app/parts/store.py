"""Open the database of the settings, for the server and for commands. Each driver is imported when it is used."""

from __future__ import annotations

from menshen.adapters.storage.changes import TellingStore
from menshen.app.settings.reader import Settings
from menshen.ports.sealing import Sealer


async def open_store(settings: Settings, sealer: Sealer) -> TellingStore:
    """Open the database of the settings, and upgrade its schema.

    Raises:
        UnfitError: an operator has to change something before it can be used.
        Problem: UNAVAILABLE, when the database cannot be opened.
        SchemaTooNewError: the database belongs to a newer program.
    """
    if (path := settings.sqlite_path) is not None:
        from menshen.adapters.storage.sql.engines.sqlite import SqliteStore
        from menshen.adapters.storage.sql.schema.migrate import migrate_sqlite

        migrate_sqlite(path, settings.patience)
        return SqliteStore(path, sealer, settings.patience)
    from menshen.adapters.storage.sql.engines.postgres import open_postgres
    from menshen.adapters.storage.sql.schema.migrate import migrate_postgres

    storage = settings.storage
    if storage.direct_url:
        from menshen.adapters.storage.sql.schema.fitness import refuse_other_database

        await refuse_other_database(storage.url, storage.direct_url, settings.patience)
    await migrate_postgres(storage.direct_url or storage.url, settings.patience)
    return await open_postgres(storage.url, sealer, pool_size=storage.pool_size, patience=settings.patience)
