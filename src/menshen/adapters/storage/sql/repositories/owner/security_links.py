"""Keep links that say "that was not me" in SQL."""

from __future__ import annotations

from menshen.adapters.storage.sql.repositories.executor import Executor
from menshen.adapters.storage.sql.repositories.rows import LINK_FIELDS, link_of, record_row
from menshen.adapters.storage.sql.statements.reader import Statement, Statements
from menshen.core.account.security_links import SecurityLink
from menshen.core.time import Instant


class SecurityLinkStatements(Statements, file="owner/security_links"):
    """Declare the statements of `security_links.sql`."""

    add: Statement
    find: Statement
    burn: Statement
    remove_all: Statement


class SqlSecurityLinks:
    """Implement `menshen.ports.store.owner.security_links.SecurityLinks` on a connection."""

    def __init__(self, run: Executor, statements: SecurityLinkStatements) -> None:
        """Bind the statements to a connection."""
        self._run = run
        self._st = statements

    async def find(self, digest: bytes) -> SecurityLink | None:
        row = await self._run.one(self._st.find, {"digest": digest})
        return link_of(row) if row else None

    async def add(self, digest: bytes, link: SecurityLink) -> None:
        await self._run.run(self._st.add, {**record_row(link, LINK_FIELDS), "digest": digest})

    async def burn(self, digest: bytes, now: Instant) -> SecurityLink | None:
        row = await self._run.one(self._st.burn, {"digest": digest, "now": now})
        return link_of(row) if row else None

    async def remove_all(self, account_number: int) -> int:
        return await self._run.run(self._st.remove_all, {"account_number": account_number})
