"""One set of statements, written once in SQLAlchemy Core, for SQLite and PostgreSQL.

Statements are compiled when a store opens and run on the drivers themselves (decision 0004).
"""
