"""Statements compiled: SQLAlchemy Core in, the driver's text and argument order out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, bindparam
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.sql import ClauseElement

from menshen.storage.sql.compiling import Statement

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


class Compiler:
    """Compiles for one database."""

    def __init__(self, dialect: Dialect) -> None:
        """`dialect` decides spelling and paramstyle."""
        self._dialect = dialect
        self.postgres = dialect.name == "postgresql"

    def __call__(self, clause: ClauseElement) -> Statement:
        """Compile any statement; its bind parameters become named arguments."""
        compiled: Any = clause.compile(dialect=self._dialect, compile_kwargs={"render_postcompile": True})
        names = tuple(compiled.positiontup or ())
        # A parameter without a value of its own must be given at each run; one whose value is NULL has one.
        required = {str(bind.key) for bind in compiled.binds.values() if bind.required}
        return Statement(str(compiled), names, {n: v for n, v in compiled.params.items() if n not in required})

    def insert(self, table: Table, *columns: str) -> postgresql.Insert | sqlite.Insert:
        """An INSERT with one argument per column (all of them when none are named), ready for ON CONFLICT."""
        wanted = columns or tuple(table.columns.keys())
        values = {name: bindparam(name, type_=table.c[name].type) for name in wanted}
        if not self.postgres:
            return sqlite.insert(table).values(values)
        # Imported late: a start on SQLite does without it, and is a tenth faster.
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table).values(values)


def for_sqlite() -> Compiler:
    """For the standard library's sqlite3."""
    return Compiler(sqlite.dialect(paramstyle="qmark"))


def for_postgres() -> Compiler:
    """For asyncpg."""
    from sqlalchemy.dialects.postgresql import asyncpg

    return Compiler(asyncpg.dialect(paramstyle="numeric_dollar"))  # type: ignore[no-untyped-call]
