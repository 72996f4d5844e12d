"""The schemas there were, as tests need them."""

from __future__ import annotations

from menshen.adapters.storage.sql.schema.migrate import MIGRATIONS, script
from menshen.adapters.storage.sql.statements.reader import Database


def revisions() -> list[str]:
    """Every revision there is, the first first, by the names of their files."""
    return sorted({file.name[:4] for file in MIGRATIONS.glob("*/*.sql")})


def script_to(revision: str, database: Database) -> str:
    """What the program of that revision made of an empty database."""
    return script(database, None, revision)
