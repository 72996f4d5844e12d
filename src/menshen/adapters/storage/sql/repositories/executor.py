"""Define a connection as repositories see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from menshen.adapters.storage.sql.statements.reader import Statement


class Executor(Protocol):
    """Run statements on a connection. On SQLite its coroutines never suspend."""

    async def one(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Any] | None:
        """Return the first row, or None."""
        ...

    async def all(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Return every row."""
        ...

    async def run(self, statement: Statement, values: Mapping[str, Any]) -> int:
        """Return how many rows changed."""
        ...

    async def many(self, statement: Statement, values: Sequence[Mapping[str, Any]]) -> Sequence[Sequence[Any]]:
        """Run it once with each of `values`, in their order; every row of every run."""
        ...

    async def claim(self, key: bytes) -> None:
        """Make other transactions that claim `key` wait until this one ends."""
        ...


class TakenError(Exception):
    """Report that a unique index refused a row. `constraint` is its name or its columns, as the driver reports it."""

    def __init__(self, constraint: str) -> None:
        """Say which."""
        super().__init__(constraint)
        self.constraint = constraint
