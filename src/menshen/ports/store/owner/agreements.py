"""Store to what people agreed. Agreements outlive an epoch, and are erased with the account."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from menshen.core.account.agreements import AgreedTerms


class AgreementReader(Protocol):
    """Find agreements."""

    async def list_of(self, account_number: int) -> Sequence[AgreedTerms]:
        """Return the newest 200 agreements of an account, the newest first."""
        ...


class Agreements(AgreementReader, Protocol):
    """Change agreements. Each method is one atomic statement."""

    async def add(self, account_number: int, agreed: AgreedTerms) -> bool:
        """Store an agreement. Return false if this version stands already: its first time stays."""
        ...

    async def forget_all(self, account_number: int) -> None:
        """Delete all agreements of an account."""
        ...
