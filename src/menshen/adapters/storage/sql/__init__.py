"""One set of statements in plain SQL for SQLite and PostgreSQL, run on the drivers themselves (decision 0034)."""
