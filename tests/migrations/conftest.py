"""What the tests of migrations ask for."""

from tests.databases import postgres_emptied, postgres_template, sqlite_template

__all__ = ["postgres_emptied", "postgres_template", "sqlite_template"]
