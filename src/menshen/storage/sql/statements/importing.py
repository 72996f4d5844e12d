"""What is asked by imports."""

from __future__ import annotations

from sqlalchemy import bindparam, cast, func, literal, select

from menshen.storage.sql.compiling import Statement
from menshen.storage.sql.statements.accounts import COLUMNS
from menshen.storage.sql.statements.compiler import Compiler
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
