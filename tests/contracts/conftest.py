"""What the contract tests ask for."""

from tests.compiled_once import compiled_once
from tests.databases import emptied_url, migrated_url, postgres_emptied, postgres_template, sqlite_template

__all__ = [
    "compiled_once",
    "emptied_url",
    "migrated_url",
    "postgres_emptied",
    "postgres_template",
    "sqlite_template",
]
