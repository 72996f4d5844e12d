"""Accounts and sessions of another program in SQL, and the ledger of what came in. Works on many rows at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from menshen.core.account.accounts import Account, Status
from menshen.ports.importing import Imported, ImportedSession
from menshen.storage.sql.accounts import row_of
from menshen.storage.sql.compiling import Executor, Statement
from menshen.storage.sql.sessions import row_of as session_row_of

if TYPE_CHECKING:
    from menshen.storage.sql.statements.importing import ImportStatements


class SqlImports:
    """`menshen.ports.importing.Imports` on a connection."""

    def __init__(self, run: Executor, statements: ImportStatements) -> None:
        """Bind the statements to a connection."""
        self._run = run
        self._st = statements

    async def known(self, source: str, numbers: Collection[int]) -> Mapping[int, Imported]:
        rows = await self._run.many(self._st.known, [{"source": source, "n": number} for number in numbers])
        return {row[0]: Imported(row[1], row[2], row[3] == Status.ACTIVE.value, row[4] > 0) for row in rows}

    async def tokens_known(self, tokens: Collection[bytes]) -> Collection[bytes]:
        rows = await self._run.many(self._st.token_known, [{"token": token} for token in tokens])
        return {bytes(row[0]) for row in rows}

    async def taken(self, accounts: Sequence[Account]) -> Sequence[frozenset[str]]:
        numbers = {row[0] for row in await self._run.many(self._st.number, [{"n": a.number} for a in accounts])}
        usernames = {row[0] for row in await self._matches(self._st.username, [a.username for a in accounts])}
        phones = dict(await self._matches(self._st.phone, [a.phone for a in accounts]))
        proved = [a.email for a in accounts if a.email_verified]
        emails = {row[0] for row in await self._matches(self._st.email, proved)}
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
        return {row[0] for row in await self._matches(self._st.claimed, emails)}

    async def _matches(self, statement: Statement, texts: Collection[str | None]) -> Sequence[Any]:
        return await self._run.many(statement, [{"what": text} for text in texts if text is not None])

    async def reserve_numbers(self, highest: int) -> None:
        if self._st.reserve is not None:
            await self._run.all(self._st.reserve, {"highest": highest})

    async def add_accounts(self, accounts: Sequence[Account]) -> Mapping[str, int]:
        numbered = [row_of(account) for account in accounts if account.number]
        others = [row_of(account) for account in accounts if not account.number]
        rows = [*await self._run.many(self._st.add, numbered), *await self._run.many(self._st.add_next, others)]
        return {row[0]: row[1] for row in rows}

    async def note(self, source: str, came: Mapping[int, tuple[int, int]]) -> None:
        rows = [
            {"source": source, "source_number": number, "mark": mark, "account_number": account}
            for number, (mark, account) in came.items()
        ]
        await self._run.many(self._st.note, rows)

    async def add_sessions(self, sessions: Sequence[ImportedSession]) -> Collection[str]:
        notes = [{"digest": s.token, "expires_at": s.forget_at} for s in sessions]
        fresh = {bytes(row[0]) for row in await self._run.many(self._st.note_token, notes)}
        rows = [
            {**session_row_of(s.session), "token_digest": s.token, "refresh_digest": s.refresh}
            for s in sessions
            if s.token in fresh
        ]
        return {row[0] for row in await self._run.many(self._st.session, rows)}
