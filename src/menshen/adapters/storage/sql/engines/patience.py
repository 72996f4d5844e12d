"""How long the stores of a server wait before they give up. One record, handed in.

Copying, inspecting and upgrading a database may wait longer; their files say how long. Not known here: who waits.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

_BOUNDS = {"ge": 0.001, "le": 600}


class Patience(Struct, frozen=True, kw_only=True):
    """Hold the waits, in seconds. A caller gets UNAVAILABLE when one of them is over."""

    acquire: Annotated[float, Meta(**_BOUNDS, description="A caller waits for a free connection to PostgreSQL.")] = 2.0
    connect: Annotated[float, Meta(**_BOUNDS, description="PostgreSQL accepts a new connection.")] = 2.0
    statement: Annotated[
        float, Meta(**_BOUNDS, description="PostgreSQL answers one statement. The driver waits one second longer.")
    ] = 4.0
    lock: Annotated[
        float, Meta(**_BOUNDS, description="A statement on PostgreSQL waits for a lock of another transaction.")
    ] = 3.0
    transaction: Annotated[float, Meta(**_BOUNDS, description="A whole transaction on PostgreSQL ends.")] = 8.0
    news: Annotated[
        float,
        Meta(
            **_BOUNDS,
            description="PostgreSQL answers one question about ended sessions; unanswered, checks ask the database.",
        ),
    ] = 1.0
    busy: Annotated[float, Meta(**_BOUNDS, description="A writer waits for another process on the SQLite file.")] = 5.0
    probe: Annotated[float, Meta(**_BOUNDS, description="/readyz waits for its write.")] = 2.0

    @property
    def idle_in_transaction(self) -> float:
        """Give the seconds after which PostgreSQL ends a transaction that asks nothing: later than we would."""
        return self.transaction + 2


USUAL = Patience()
