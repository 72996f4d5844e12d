"""Password hashing, off the event loop and bounded."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Verified:
    """The verdict on one password. `outdated`: the stored hash should be replaced by one of today's parameters.

    `short_ms`: how much later (ms) a refusal must be answered, so that its time does not tell which hash, if any, was
    stored. 0 where no account has a hash that takes longer to judge than today's. (docs/security/attacks.md EN-2.)
    `readable`: False when something is stored that is no hash, or one that nobody could afford to judge. (PW-4.)
    """

    right: bool
    outdated: bool = False
    short_ms: float = 0.0
    readable: bool = True


class PasswordHasher(Protocol):
    """Every call costs at least one hash of today's parameters, whatever is stored.

    Raises `Problem(OVERLOADED)` at once when too many wait. Nothing of a password outlives the call.
    """

    def place(self) -> AbstractAsyncContextManager[None]:
        """A place in the queue, held while the block runs: whoever has one has room for a verification.

        Taken before a try is counted, so that an overload costs its victims no tries and the server no writes.
        """
        ...

    @property
    def full(self) -> bool:
        """Whether no place is free now: a reason to refuse before anything else is done."""
        ...

    @property
    def head(self) -> str:
        """The head of the hashes it makes. (`menshen.core.login.hash_costs`)"""
        ...

    def expect(self, heads: Collection[str]) -> None:
        """Hashes of these heads may be stored, and of no others: refusals are levelled to the dearest from now on."""
        ...

    async def learn(self) -> None:
        """Time what was expected and never timed here, by dummies, one at a time; until then costs are reckoned."""
        ...

    async def hash(self, password: bytes) -> str:
        """A new self-describing hash text."""
        ...

    async def verify(self, stored: str, password: bytes | None) -> Verified:
        """Whether `password` made `stored`.

        "" (no account, no password), None (a text that can be no password), foreign and corrupt hashes
        are wrong and cost the same.
        """
        ...
