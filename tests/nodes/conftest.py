"""What the tests of several processes ask for."""

from tests.databases import migrated_url, postgres_template

__all__ = ["migrated_url", "postgres_template"]
