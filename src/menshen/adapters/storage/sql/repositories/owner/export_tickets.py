"""Keep tickets for exports in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from menshen.adapters.storage.sql.repositories.executor import Executor
from menshen.adapters.storage.sql.statements.reader import Statement, Statements
from menshen.core.account.export_tickets import ExportTicket
from menshen.core.time import Instant


class ExportTicketStatements(Statements, file="owner/export_tickets"):
    """Declare the statements of `export_tickets.sql`."""

    add: Statement
    fetch: Statement
    list_of: Statement
    remove_all: Statement


class SqlExportTickets:
    """Implement `menshen.ports.store.owner.export_tickets.ExportTickets` on a connection."""

    def __init__(self, run: Executor, statements: ExportTicketStatements) -> None:
        """Bind the statements to a connection."""
        self._run = run
        self._st = statements

    async def list_of(self, account_number: int, now: Instant, *, most: int) -> Sequence[ExportTicket]:
        values = {"account_number": account_number, "now": now, "most": most}
        return [ExportTicket(*row) for row in await self._run.all(self._st.list_of, values)]

    async def add(self, account_number: int, ticket: ExportTicket) -> None:
        values = {
            "ticket_id": ticket.id,
            "account_number": account_number,
            "created_at": ticket.created_at,
            "expires_at": ticket.expires_at,
        }
        await self._run.run(self._st.add, values)

    async def fetch(self, ticket_id: str, account_number: int, now: Instant, *, most: int) -> ExportTicket | None:
        values = {"ticket_id": ticket_id, "account_number": account_number, "now": now, "most": most}
        row = await self._run.one(self._st.fetch, values)
        return ExportTicket(*row) if row else None

    async def remove_all(self, account_number: int) -> int:
        return await self._run.run(self._st.remove_all, {"account_number": account_number})
