"""What is asked about heads of hashes."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, func, literal, select

from menshen.core.login.hash_costs import LONGEST
from menshen.storage.sql.statements.compiler import Compiler
from menshen.storage.sql.tables import accounts, hash_heads


class HashHeadStatements:
    """Everything this repository asks, compiled once."""

    def __init__(self, sql: Compiler) -> None:
        """Compile."""
        a, h = accounts.c, hash_heads.c
        self.all = sql(select(h.head, h.noted_at).order_by(h.head))
        # In the order of the primary key: so many rows are read and no more, however many there are.
        self.walk = sql(
            select(a.number, func.substr(a.password_hash, 1, literal(LONGEST)))
            .where(a.number > bindparam("after"))
            .order_by(a.number)
            .limit(bindparam("most"))
        )
        note = sql.insert(hash_heads)
        self.note = sql(
            note.on_conflict_do_update(
                index_elements=[h.head],
                set_={"noted_at": note.excluded.noted_at},
                where=note.excluded.noted_at > h.noted_at,
            )
        )
        self.forget = sql(delete(hash_heads).where(h.head == bindparam("head"), h.noted_at <= bindparam("noted_by")))
