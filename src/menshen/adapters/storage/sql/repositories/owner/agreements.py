"""Keep agreements in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from menshen.adapters.storage.sql.repositories.executor import Executor
from menshen.adapters.storage.sql.statements.reader import Statement, Statements
from menshen.core.account.agreements import AgreedTerms


class AgreementStatements(Statements, file="owner/agreements"):
    """Declare the statements of `agreements.sql`."""

    add: Statement
    list_of: Statement
    forget_all: Statement


class SqlAgreements:
    """Implement `menshen.ports.store.owner.agreements.Agreements` on a connection."""

    def __init__(self, run: Executor, statements: AgreementStatements) -> None:
        """Bind the statements to a connection."""
        self._run = run
        self._st = statements

    async def list_of(self, account_number: int) -> Sequence[AgreedTerms]:
        rows = await self._run.all(self._st.list_of, {"account_number": account_number})
        return [AgreedTerms(*row) for row in rows]

    async def add(self, account_number: int, agreed: AgreedTerms) -> bool:
        values = {
            "account_number": account_number,
            "app_id": agreed.app_id,
            "kind": agreed.kind,
            "version": agreed.version,
            "agreed_at": agreed.at,
            "ip": agreed.ip,
        }
        return await self._run.run(self._st.add, values) == 1

    async def forget_all(self, account_number: int) -> None:
        await self._run.run(self._st.forget_all, {"account_number": account_number})
