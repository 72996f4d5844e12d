"""Store tickets for exports. An epoch ends them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from menshen.core.account.export_tickets import ExportTicket
from menshen.core.time import Instant


class ExportTicketReader(Protocol):
    """Find tickets."""

    async def list_of(self, account_number: int, now: Instant, *, most: int) -> Sequence[ExportTicket]:
        """Return the live tickets of an account that were fetched less than `most` times, the newest first."""
        ...


class ExportTickets(ExportTicketReader, Protocol):
    """Change tickets. Each method is one atomic statement."""

    async def add(self, account_number: int, ticket: ExportTicket) -> None:
        """Store a ticket."""
        ...

    async def fetch(self, ticket_id: str, account_number: int, now: Instant, *, most: int) -> ExportTicket | None:
        """Count one fetch of a live ticket of the account, and return it. None: no such, or `most` were counted.

        Of any number of callers at once, `most` get it.
        """
        ...

    async def remove_all(self, account_number: int) -> int:
        """Delete all tickets of an account. Return how many there were."""
        ...
