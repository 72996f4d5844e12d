"""Hash passwords outside of the event loop, with a bounded queue."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Verified:
    """Hold the result for one password. `outdated`: the stored hash should be replaced by one of current parameters.

    `short_ms`: a refusal must wait so long (ms), so that its time does not reveal which hash, if any, was stored. It is
    0 if no account has a hash that takes longer to verify than a current one. (docs/security/attacks.md EN-2.)
    `readable`: false if the stored text is no hash, or is too expensive to verify. (PW-4.)
    """

    right: bool
    outdated: bool = False
    short_ms: float = 0.0
    readable: bool = True


class PasswordHasher(Protocol):
    """Hash and verify passwords. Every call costs at least one hash of the current parameters, for any stored text.

    Raises `Problem(OVERLOADED)` at once when too many calls wait. No part of a password is kept after the call.
    """

    def place(self) -> AbstractAsyncContextManager[None]:
        """Hold a place in the queue while the block runs. A caller with a place has room for a verification.

        It is taken before an attempt is counted, so that an overload costs users no attempts and the server no writes.
        """
        ...

    @property
    def full(self) -> bool:
        """Check if the queue is full now. Then a caller refuses before any other work."""
        ...

    @property
    def head(self) -> str:
        """Return the prefix of the hashes it makes. (`menshen.core.login.hash_costs`)"""
        ...

    def expect(self, heads: Collection[str]) -> None:
        """Set the prefixes that may be stored. From now on refusals take as long as the slowest of them."""
        ...

    async def learn(self) -> None:
        """Measure the expected prefixes that are not measured yet, with dummies, one at a time. Until then estimate."""
        ...

    async def hash(self, password: bytes) -> str:
        """Return a new self-describing hash text."""
        ...

    async def verify(self, stored: str, password: bytes | None) -> Verified:
        """Verify that `password` made `stored`.

        Wrong, at the same cost, are `stored` "" (no account, no password), `password` None (a text that can be no
        password), and foreign or corrupt hashes.
        """
        ...
