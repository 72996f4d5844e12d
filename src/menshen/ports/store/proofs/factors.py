"""Store the factors of plug-ins: one of a kind for an account, with a sealed secret. They outlive an epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from menshen.core.time import NEVER, Instant


@dataclass(frozen=True, slots=True)
class StoredFactor:
    """Hold a factor as its row holds it. `sealed` is b"" while none is confirmed, `begun` while no enrolment waits.

    `counter` only rises. The enrolment is over at `begun_until`.
    """

    kind: str
    sealed: bytes = field(default=b"", repr=False)
    counter: int = 0
    confirmed_at: Instant = NEVER
    used_at: Instant = NEVER
    begun: bytes = field(default=b"", repr=False)
    begun_until: Instant = NEVER


class FactorReader(Protocol):
    """Find factors."""

    async def find(self, account_number: int, kind: str) -> StoredFactor | None:
        """Return the account's factor of a kind, confirmed or only begun."""
        ...

    async def list_of(self, account_number: int) -> Sequence[StoredFactor]:
        """Return the account's factors, by kind."""
        ...


class FactorRows(FactorReader, Protocol):
    """Change factors. Each method is one atomic statement."""

    async def begin(self, account_number: int, kind: str, sealed: bytes, until: Instant) -> None:
        """Keep the secret of an enrolment until `until`, in place of an older one. A confirmed secret stays."""
        ...

    async def confirm(self, account_number: int, kind: str, begun: bytes, *, counter: int, now: Instant) -> bool:
        """Put the enrolment in place of the confirmed secret. Of all callers with one enrolment, exactly one gets true.

        False: `begun` is not the present enrolment, or it is over.
        """
        ...

    async def advance(self, account_number: int, kind: str, sealed: bytes, *, counter: int, now: Instant) -> bool:
        """Note a proof. True exactly once for a counter, and only for a higher one than each before."""
        ...

    async def remove(self, account_number: int, kind: str) -> bool:
        """Delete a confirmed factor. Return false if there is none."""
        ...

    async def remove_all(self, account_number: int) -> int:
        """Delete all factors of an account. Return how many rows there were."""
        ...
