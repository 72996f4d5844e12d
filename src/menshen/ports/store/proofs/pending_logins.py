"""Store logins that wait for a second step, by the digests of their tickets. An epoch ends them."""

from __future__ import annotations

from typing import Protocol

from menshen.core.factors.pending import PendingLogin
from menshen.core.time import Instant


class PendingLoginReader(Protocol):
    """Find pending logins."""

    async def find(self, ticket: bytes) -> PendingLogin | None:
        """Find by the digest of a ticket, live or not. The caller checks it."""
        ...


class PendingLogins(PendingLoginReader, Protocol):
    """Change pending logins. Each method is one atomic statement, but for `add`."""

    async def add(self, pending: PendingLogin, *, most: int) -> None:
        """Store a pending login. Of the account's live others on its network, the oldest end until `most` remain.

        Lock the account before: else two of these, at once, exceed `most`.
        """
        ...

    async def count_step(self, ticket: bytes, now: Instant, *, most: int) -> int | None:
        """Count a step before it is judged. Return which one it is, None if the login is over or had `most` already."""
        ...

    async def refund_step(self, ticket: bytes) -> None:
        """Take back a step that was not judged."""
        ...

    async def allow_enrolment(self, ticket: bytes) -> bool:
        """Note that an SMS code allowed the enrolment. Return false if it was not due."""
        ...

    async def take(self, ticket: bytes, now: Instant) -> PendingLogin | None:
        """Delete a pending login and return it. Of all callers with one ticket, exactly one gets it."""
        ...

    async def end_all(self, account_number: int) -> int:
        """End all pending logins of an account. Return how many there were, dead ones too."""
        ...
