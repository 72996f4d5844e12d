"""Keep heads of hashes in SQL: one row a head. It knows texts; it must not know their cost."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from menshen.adapters.storage.sql.repositories.executor import Executor
from menshen.adapters.storage.sql.statements.reader import Statement, Statements
from menshen.core.login.hash_costs import LONGEST
from menshen.core.time import Instant


class HashHeadStatements(Statements, file="hash_heads"):
    """Declare the statements of `hash_heads.sql`."""

    list_all: Statement
    walk: Statement
    note: Statement
    forget: Statement


class SqlHashHeads:
    """Implement `menshen.ports.store.hash_costs.HashHeads` on a connection."""

    def __init__(self, run: Executor, statements: HashHeadStatements) -> None:
        """Bind the statements to a connection."""
        self._run = run
        self._st = statements

    async def list_all(self) -> Mapping[str, Instant]:
        return {str(row[0]): Instant(row[1]) for row in await self._run.all(self._st.list_all, {})}

    async def walk(self, after: int, *, most: int) -> Sequence[tuple[int, str]]:
        rows = await self._run.all(self._st.walk, {"after": after, "longest": LONGEST, "most": most})
        return [(int(row[0]), str(row[1])) for row in rows]

    async def note(self, heads: Collection[str], now: Instant) -> None:
        # Sorted: two that note the same heads lock their rows in the same order.
        await self._run.many(self._st.note, [{"head": head, "noted_at": now} for head in sorted(heads)])

    async def forget(self, heads: Collection[str], *, noted_by: Instant) -> None:
        await self._run.many(self._st.forget, [{"head": head, "noted_by": noted_by} for head in sorted(heads)])
