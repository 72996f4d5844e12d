"""Define how long the stores of a server wait before they give up. It is one record that is handed in.

Copying, inspecting and upgrading a database may wait longer; their files say how long. It must not know who waits.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


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

    @property
    def idle_in_transaction(self) -> float:
        """Give the seconds after which PostgreSQL ends a transaction that asks nothing: later than we would."""
        return self.transaction + 2


USUAL = Patience()
