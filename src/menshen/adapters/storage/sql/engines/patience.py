"""How long the stores of a server wait before they give up. One record, handed in.

Copying, inspecting and upgrading a database may wait longer; their files say how long. Not known here: who waits.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

Seconds = Annotated[float, Meta(ge=0.001, le=600)]


class Patience(Struct, frozen=True, kw_only=True):
    """Waits in seconds. A caller hears UNAVAILABLE when one of them is over.

    `acquire`: a caller for a free connection to PostgreSQL. `connect`: a new connection. `statement`: one statement,
    by the server; the driver waits a second longer before it takes the server for hung. `lock`: a row's or table's
    lock within a statement. `transaction`: all statements of one together. `news`: one question of the revocation feed.
    `busy`: another process's lock on the SQLite file. `probe`: the write by which readiness is judged.
    """

    acquire: Seconds = 2.0
    connect: Seconds = 2.0
    statement: Seconds = 4.0
    lock: Seconds = 3.0
    transaction: Seconds = 8.0
    news: Seconds = 1.0
    busy: Seconds = 5.0
    probe: Seconds = 2.0

    @property
    def idle_in_transaction(self) -> float:
        """Give the seconds after which PostgreSQL ends a transaction that asks nothing: later than we would."""
        return self.transaction + 2


USUAL = Patience()
