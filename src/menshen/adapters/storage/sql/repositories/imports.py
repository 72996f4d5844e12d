"""Keep accounts and sessions of another program in SQL, with a ledger of imports. It writes many rows at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from menshen.adapters.storage.sql.repositories.executor import Executor
from menshen.adapters.storage.sql.repositories.rows import account_row, session_row
from menshen.adapters.storage.sql.statements.reader import Statement, Statements
from menshen.core.account.accounts import Account, Status
from menshen.core.tokens import digest
from menshen.ports.store.imports import Imported, ImportedSession


class ImportStatements(Statements, file="imports"):
    """Declare the statements of `imports.sql`."""

    known: Statement
    token_known: Statement
    number_taken: Statement
    username_taken: Statement
    phone_taken: Statement
    email_taken: Statement
    email_claimed: Statement
    add_numbered: Statement
    add: Statement
    note_account: Statement
    note_token: Statement
    add_session: Statement
    reserve_numbers: Statement | None = None
    hold: Statement | None = None


class SqlImports:
    """Implement `menshen.ports.store.imports.Imports` on a connection."""

    def __init__(self, run: Executor, statements: ImportStatements) -> None:
        """Bind the statements to a connection."""
        self._run = run
        self._st = statements

    async def known(self, source: str, numbers: Collection[int]) -> Mapping[int, Imported]:
        rows = await self._run.many(self._st.known, [{"source": source, "source_number": number} for number in numbers])
        return {row[0]: Imported(row[1], row[2], row[3] == Status.ACTIVE.value, row[4] > 0) for row in rows}

    async def tokens_known(self, tokens: Collection[bytes]) -> Collection[bytes]:
        rows = await self._run.many(self._st.token_known, [{"digest": token} for token in tokens])
        return {bytes(row[0]) for row in rows}

    async def taken(self, accounts: Sequence[Account]) -> Sequence[frozenset[str]]:
        numbers = {
            row[0] for row in await self._run.many(self._st.number_taken, [{"number": a.number} for a in accounts])
        }
        usernames = {row[0] for row in await self._matches(self._st.username_taken, [a.username for a in accounts])}
        phones = dict(await self._matches(self._st.phone_taken, [a.phone for a in accounts]))
        proved = [a.email for a in accounts if a.email_verified]
        emails = {row[0] for row in await self._matches(self._st.email_taken, proved)}
        return [
            frozenset(
                field
                for field, met in (
                    ("number", a.number in numbers),
                    ("username", a.username in usernames),
                    ("phone", a.phone in phones and (bool(phones[a.phone]) or not a.phone_verified)),
                    ("email", a.email_verified and a.email in emails),
                )
                if met
            )
            for a in accounts
        ]

    async def claimed(self, emails: Collection[str]) -> Collection[str]:
        return {row[0] for row in await self._matches(self._st.email_claimed, emails)}

    async def _matches(self, statement: Statement, texts: Collection[str | None]) -> Sequence[Any]:
        return await self._run.many(statement, [{"text": text} for text in texts if text is not None])

    async def hold(self, source: str) -> None:
        await self._run.claim(digest(f"import of {source}"))

    async def hold_accounts(self, source: str, numbers: Collection[int]) -> None:
        if self._st.hold is not None:
            rows = [{"source": source, "source_number": number} for number in sorted(numbers)]
            await self._run.many(self._st.hold, rows)

    async def reserve_numbers(self, highest: int) -> None:
        if self._st.reserve_numbers is not None:
            await self._run.all(self._st.reserve_numbers, {"highest": highest})

    async def add_accounts(self, accounts: Sequence[Account]) -> Mapping[str, int]:
        numbered = [account_row(account) for account in accounts if account.number]
        others = [account_row(account) for account in accounts if not account.number]
        rows = [*await self._run.many(self._st.add_numbered, numbered), *await self._run.many(self._st.add, others)]
        return {row[0]: row[1] for row in rows}

    async def note(self, source: str, came: Mapping[int, tuple[int, int]]) -> None:
        rows = [
            {"source": source, "source_number": number, "mark": mark, "account_number": account}
            for number, (mark, account) in came.items()
        ]
        await self._run.many(self._st.note_account, rows)

    async def add_sessions(self, sessions: Sequence[ImportedSession]) -> Collection[str]:
        notes = [{"digest": s.token, "expires_at": s.forget_at} for s in sessions]
        fresh = {bytes(row[0]) for row in await self._run.many(self._st.note_token, notes)}
        rows = [
            {**session_row(s.session), "token_digest": s.token, "refresh_digest": s.refresh}
            for s in sessions
            if s.token in fresh
        ]
        return {row[0] for row in await self._run.many(self._st.add_session, rows)}
