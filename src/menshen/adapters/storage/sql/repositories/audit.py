"""Keep the audit trail in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from menshen.adapters.storage.sql.repositories.executor import Executor
from menshen.adapters.storage.sql.repositories.rows import event_row
from menshen.adapters.storage.sql.statements.reader import Statement, Statements
from menshen.core.audit.events import Event, Tag
from menshen.core.time import Instant


class AuditStatements(Statements, file="audit"):
    """Declare the statements of `audit.sql`."""

    append: Statement
    newest: Statement
    newest_of_account: Statement


class SqlAudit:
    """Implement `menshen.ports.store.audit.Audit` on a connection."""

    def __init__(self, run: Executor, statements: AuditStatements) -> None:
        """Bind the statements to a connection."""
        self._run = run
        self._st = statements

    async def append(self, event: Event) -> None:
        await self._run.run(self._st.append, event_row(event))

    async def append_all(self, events: Sequence[Event]) -> None:
        await self._run.many(self._st.append, [event_row(event) for event in events])

    async def list_events(
        self, *, account_number: int | None = None, since: Instant | None = None, limit: int = 1000
    ) -> Sequence[Event]:
        values: dict[str, Any] = {"since": since or 0, "most": limit}
        statement = self._st.newest
        if account_number is not None:
            statement, values["account_number"] = self._st.newest_of_account, account_number
        rows = await self._run.all(statement, values)
        return [Event(Tag(row[0]), *row[1:]) for row in reversed(rows)]
