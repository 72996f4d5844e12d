"""Run statements and transactions on SQLite and on PostgreSQL."""
