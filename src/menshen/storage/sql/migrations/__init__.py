"""The history of the schema, run by Alembic from `menshen.storage.sql.migrate`."""
