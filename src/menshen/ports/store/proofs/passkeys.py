"""Store passkeys. A credential belongs to one account. They outlive an epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from menshen.core.factors.passkeys import Passkey
from menshen.core.time import Instant


class PasskeyReader(Protocol):
    """Find passkeys."""

    async def find(self, credential: bytes) -> Passkey | None:
        """Find by the raw id of a credential."""
        ...

    async def list_of(self, account_number: int) -> Sequence[Passkey]:
        """Return the passkeys of an account, the oldest first."""
        ...

    async def handle_of(self, account_number: int) -> bytes:
        """Return the user handle of an account, b"" for none."""
        ...

    async def rp_ids(self) -> Mapping[str, int]:
        """Return how many accounts have passkeys for each RP id."""
        ...


class Passkeys(PasskeyReader, Protocol):
    """Change passkeys. Each method is one atomic statement."""

    async def add(self, passkey: Passkey) -> bool:
        """Store a passkey. Return false if its credential belongs to an account already."""
        ...

    async def use(self, passkey: Passkey, *, counter: int, backed_up: bool, now: Instant) -> bool:
        """Note a use. `passkey` is what was read. Return false if it was used or removed meanwhile.

        `used_at` becomes `now`, or later: it rises with each use.
        """
        ...

    async def rename(self, passkey_id: str, account_number: int, name: str) -> bool:
        """Rename a passkey of the account. Return false if there is none."""
        ...

    async def remove(self, passkey_id: str, account_number: int) -> bool:
        """Delete a passkey of the account. Return false if there is none."""
        ...

    async def remove_all(self, account_number: int) -> int:
        """Delete all passkeys of an account. Return how many there were. Its user handle stays."""
        ...

    async def keep_handle(self, account_number: int, handle: bytes) -> bytes:
        """Give the account this user handle if it has none. Return the one that it has."""
        ...

    async def forget_handle(self, account_number: int) -> None:
        """Delete the user handle of an account that is closed."""
        ...
