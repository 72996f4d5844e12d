"""Store recovery codes, as keyed digests that are bound to their account. They outlive an epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from menshen.core.time import Instant


class RecoveryCodeReader(Protocol):
    """Count and find recovery codes."""

    async def left(self, account_number: int) -> int:
        """Return how many unused codes the account has."""
        ...

    async def holds(self, account_number: int, mac: bytes) -> bool:
        """Return whether the account has this code, unused."""
        ...


class RecoveryCodeRows(RecoveryCodeReader, Protocol):
    """Change recovery codes."""

    async def replace(self, account_number: int, macs: Sequence[bytes], now: Instant) -> None:
        """Store a new set in place of the old one. Lock the account before: else two sets could stand together."""
        ...

    async def spend(self, account_number: int, mac: bytes, now: Instant) -> bool:
        """Spend a code. Of all callers with one code, exactly one gets true. Atomic."""
        ...

    async def remove_all(self, account_number: int) -> None:
        """Delete all codes of an account."""
        ...
