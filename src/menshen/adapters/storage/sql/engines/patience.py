"""Define how long stores wait before they give up: those of a server, and those of commands, which wait longer.

It is one record that is handed in. Upgrading a database may wait longer; its file says how long.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace


class Patience(Struct, frozen=True, kw_only=True):
    """Hold waits in seconds. A caller gets UNAVAILABLE when one of them is over.

    The driver waits a second longer than `statement` before it takes the server for hung.
    """

    acquire: Annotated[
        float, Meta(ge=0.001, le=600, description="Seconds that a caller waits for a free connection to PostgreSQL.")
    ] = 2.0
    connect: Annotated[
        float, Meta(ge=0.001, le=600, description="Seconds that a new connection to PostgreSQL may take.")
    ] = 2.0
    statement: Annotated[
        float, Meta(ge=0.001, le=600, description="Seconds that one statement on PostgreSQL may take.")
    ] = 4.0
    lock: Annotated[
        float,
        Meta(
            ge=0.001,
            le=600,
            description="Seconds that a statement on PostgreSQL waits for the lock of another transaction.",
        ),
    ] = 3.0
    transaction: Annotated[
        float, Meta(ge=0.001, le=600, description="Seconds that all statements of a transaction may take together.")
    ] = 8.0
    news: Annotated[
        float,
        Meta(
            ge=0.001,
            le=600,
            description="Seconds that one question about revocations may take. "
            "Without an answer, checks ask the database.",
        ),
    ] = 1.0
    busy: Annotated[
        float, Meta(ge=0.001, le=600, description="Seconds that another process may hold the lock of the SQLite file.")
    ] = 5.0
    probe: Annotated[float, Meta(ge=0.001, le=600, description="Seconds that the test write of /readyz may take.")] = (
        2.0
    )

    command: Annotated[
        float,
        Meta(
            ge=0.001,
            le=86_400,
            description="Seconds that a statement, a lock or a transaction of a command may take. No request waits for "
            "a command. It takes the place of shorter waits above, but for `acquire` and `connect`.",
        ),
    ] = 600.0

    @property
    def of_commands(self) -> Patience:
        """Give the waits of a command: no client waits for its answer."""
        longer = {name: max(getattr(self, name), self.command) for name in ("statement", "lock", "transaction", "busy")}
        return replace(self, **longer)

    @property
    def idle_in_transaction(self) -> float:
        """Give the seconds after which PostgreSQL ends a transaction that asks nothing: later than we would."""
        return self.transaction + 2


USUAL = Patience()
