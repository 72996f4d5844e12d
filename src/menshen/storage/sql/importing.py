"""Accounts and sessions of another program in SQL, and the ledger of what came in. Works on many rows at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, cast, func, literal, select

from menshen.core.accounts import Account, Status
from menshen.ports.importing import Imported, ImportedSession
from menshen.storage.sql.accounts import COLUMNS, row_of
from menshen.storage.sql.compiling import Compiler, Executor, Statement
from menshen.storage.sql.sessions import row_of as session_row_of
from menshen.storage.sql.tables import accounts, imported_accounts, imported_tokens, installation, sessions


class ImportStatements:
    """Everything this repository asks, compiled once."""

    def __init__(self, sql: Compiler) -> None:
        """Compile."""
        a, came, s = accounts.c, imported_accounts.c, sessions.c
        self.known = sql(
            select(came.source_number, came.mark, a.number, a.status, a.password_version).where(
                came.source == bindparam("source"),
                came.source_number == bindparam("n"),
                a.number == came.account_number,
            )
        )
        self.token_known = sql(select(imported_tokens.c.digest).where(imported_tokens.c.digest == bindparam("token")))
        self.number = sql(select(a.number).where(a.number == bindparam("n")))
        self.username = sql(select(a.username).where(a.username == bindparam("what")))
        self.phone = sql(select(a.phone, a.phone_verified).where(a.phone == bindparam("what")))
        self.email = sql(select(a.email).where(a.email == bindparam("what"), a.email_verified == 1))
        self.claimed = sql(select(a.email).where(a.email == bindparam("what"), a.email_verified == 0).limit(1))
        added = [column.name for column in COLUMNS]
        stored = (a.public_id, a.number)
        self.add = sql(sql.insert(accounts, *added).on_conflict_do_nothing().returning(*stored))
        unnumbered = [name for name in added if name != "number"]
        self.add_next = sql(sql.insert(accounts, *unnumbered).on_conflict_do_nothing().returning(*stored))
        self.note = sql(sql.insert(imported_accounts).on_conflict_do_nothing())
        self.note_token = sql(sql.insert(imported_tokens).on_conflict_do_nothing().returning(imported_tokens.c.digest))
        columns = [column.name for column in sessions.columns if column.name != "epoch"]
        insert = sql.insert(sessions, *columns)
        epoch = select(installation.c.epoch).where(installation.c.id == 1).scalar_subquery()
        insert = insert.values(epoch=epoch)
        self.session = sql(
            insert.on_conflict_do_update(
                index_elements=[s.account_number, s.slot],
                set_={name: insert.excluded[name] for name in [*columns, "epoch"]},
                where=insert.excluded.created_at > s.created_at,
            ).returning(s.session_id)
        )
        # SQLite's AUTOINCREMENT stays above every number by itself; a sequence knows only what it gave.
        self.reserve: Statement | None = None
        if sql.postgres:
            from sqlalchemy.dialects.postgresql import REGCLASS

            sequence = cast(func.pg_get_serial_sequence(literal("accounts"), literal("number")), REGCLASS)
            highest = bindparam("highest", type_=a.number.type)
            given = func.coalesce(func.pg_sequence_last_value(sequence), 0)
            self.reserve = sql(select(func.setval(sequence, highest)).where(highest > given))


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
