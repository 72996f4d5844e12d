"""Statements compiled once: SQLAlchemy Core in, the driver's text and argument order out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Table, bindparam
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.sql import ClauseElement

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


@dataclass(frozen=True, slots=True)
class Statement:
    """A driver's text, the names of its arguments in order, and the values that are part of the statement."""

    text: str
    names: tuple[str, ...]
    constants: Mapping[str, Any]

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """The positional arguments for one run."""
        constants = self.constants
        return [values[name] if name in values else constants[name] for name in self.names]


class Executor(Protocol):
    """A connection as repositories see it. On SQLite its coroutines never suspend."""

    async def one(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Any] | None:
        """The first row, or None."""
        ...

    async def all(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Every row."""
        ...

    async def run(self, statement: Statement, values: Mapping[str, Any]) -> int:
        """How many rows changed."""
        ...

    async def many(self, statement: Statement, values: Sequence[Mapping[str, Any]]) -> Sequence[Sequence[Any]]:
        """Run it once with each of `values`, in their order; every row of every run."""
        ...

    async def claim(self, key: bytes) -> None:
        """Make other transactions that claim `key` wait until this one ends."""
        ...


class TakenError(Exception):
    """A unique index refused a row. `constraint` is its name or its columns, as the driver tells."""

    def __init__(self, constraint: str) -> None:
        """Say which."""
        super().__init__(constraint)
        self.constraint = constraint


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
