"""`menshen migrate`: bring the database to today's schema. A start does it too."""

from __future__ import annotations

import asyncio

from menshen.cli.opening import DEFAULT_DATA, AsJson, Config, Data, settings_of
from menshen.cli.showing import show_json


def migrate(*, data: Data = DEFAULT_DATA, config: Config = None, as_json: AsJson = False) -> None:
    """Create or upgrade the database. Atomic: a migration that is killed has not happened."""
    from menshen.adapters.storage.sql.schema.migrate import HEAD, migrate_postgres, migrate_sqlite
    from menshen.app.installation.opening import in_use, prepare_folder, read_keys
    from menshen.app.world import SystemWorld

    settings = settings_of(data, config)
    prepare_folder(settings)
    # Keys come before the database: one without the other is refused.
    read_keys(settings, SystemWorld())
    with in_use(settings):
        path = settings.sqlite_path
        done = (
            migrate_sqlite(path, settings.patience)
            if path is not None
            else asyncio.run(migrate_postgres(settings.storage.url, settings.patience))
        )
    if as_json:
        show_json({"changed": done, "schema": HEAD})
    else:
        print(f"the database is at schema {HEAD} now" if done else f"the database was at schema {HEAD} already")
