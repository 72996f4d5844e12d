"""Compile every statement and write the texts down, for both databases."""

from menshen.storage.sql.prepared import DIALECTS, write_down

for dialect in DIALECTS:
    write_down(dialect)
