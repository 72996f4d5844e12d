"""Run one set of statements in plain SQL on SQLite and PostgreSQL, through the drivers themselves (decision 0034)."""
