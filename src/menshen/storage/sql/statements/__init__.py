"""Every statement of the program, written once for both databases in SQLAlchemy Core.

Only what compiles loads this package, and SQLAlchemy with it: a server runs the texts that were compiled beforehand
(`menshen.storage.sql.prepared`). `python -m menshen.storage.sql.statements` compiles them anew. (Decision 0026.)
"""
