"""Store links that say "that was not me", by the digests of their secrets. An epoch ends them."""

from __future__ import annotations

from typing import Protocol

from menshen.core.account.security_links import SecurityLink
from menshen.core.time import Instant


class SecurityLinkReader(Protocol):
    """Find links."""

    async def find(self, digest: bytes) -> SecurityLink | None:
        """Find by the digest of a secret, used and expired ones too. The caller checks it."""
        ...


class SecurityLinks(SecurityLinkReader, Protocol):
    """Change links. Each method is one atomic statement."""

    async def add(self, digest: bytes, link: SecurityLink) -> None:
        """Store a link. One with the same secret stays as it is."""
        ...

    async def burn(self, digest: bytes, now: Instant) -> SecurityLink | None:
        """Use a live link up, and return it. Of all callers with one secret, exactly one gets it."""
        ...

    async def remove_all(self, account_number: int) -> int:
        """Delete all links of an account. Return how many there were."""
        ...
