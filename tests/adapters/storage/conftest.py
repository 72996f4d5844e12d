"""Give the tests of the stores their databases."""

from tests.databases import emptied_url, migrated_url, postgres_emptied, postgres_template, sqlite_template

__all__ = [
    "emptied_url",
    "migrated_url",
    "postgres_emptied",
    "postgres_template",
    "sqlite_template",
]
