"""Accounts at rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from menshen.core.account.accounts import Account, NewAccount, Status
from menshen.core.identifiers import Identifier, Kind
from menshen.core.time import Instant


class AlreadyTaken(Exception):
    """Another open account has it. `field` is "username", "phone", "email" or "public_id"."""

    def __init__(self, field: str) -> None:
        """Say which."""
        super().__init__(field)
        self.field = field


class AccountReader(Protocol):
    """Finding accounts. `find_*` returns None for none; closed accounts are found by number and public id only."""

    async def find(self, number: int) -> Account | None: ...

    async def find_by_public_id(self, public_id: str) -> Account | None: ...

    async def find_owner(self, identifier: Identifier) -> Account | None:
        """Whoever may log in by it: a username's bearer, or the account that proved the phone or email."""
        ...

    async def find_claims(self, identifier: Identifier) -> Sequence[Account]:
        """Every open account on which it stands, proved or not; at most 20."""
        ...

    async def nickname_taken(self, nickname: str, except_number: int | None) -> bool:
        """Whether an open account other than `except_number` bears exactly this nickname."""
        ...


class Accounts(AccountReader, Protocol):
    """Changing accounts, inside a write transaction."""

    async def add(self, new: NewAccount) -> Account:
        """Store it under the next number.

        Raises:
            AlreadyTaken: username or phone stands on an open account, or the proved email belongs to one;
                the transaction lives on.
        """
        ...

    async def record_login(self, number: int, *, ip: str, now: Instant, password_version: int | None) -> Account | None:
        """Note a login, and lock the account for the rest of the transaction.

        None when the account is no longer active, or (given `password_version`) its password has changed
        since it was judged. Atomic.
        """
        ...

    async def set_password(
        self, number: int, password_hash: str, *, now: Instant, expected_version: int | None = None
    ) -> bool:
        """Replace the password and raise its version; False when `expected_version` is no longer the present one."""
        ...

    async def replace_hash(self, number: int, old: str, new: str) -> bool:
        """Compare-and-set of the hash text alone (an upgrade, not a change of password)."""
        ...

    async def set_status(self, number: int, status: Status, *, now: Instant) -> bool:
        """Switch an open account between ACTIVE and DISABLED; False when it is so already or closed."""
        ...

    async def close(self, number: int, *, now: Instant) -> bool:
        """Close it: identifiers, password and profile are erased, the number is never used again."""
        ...

    async def set_profile(self, number: int, fields: Mapping[str, object], *, now: Instant) -> Account | None:
        """Set profile columns by their `Profile` name; the account after it, None when it is not open."""
        ...

    async def set_username(self, number: int, username: str, shown: str, *, now: Instant) -> None:
        """Raises AlreadyTaken."""
        ...

    async def set_identifier(self, number: int, kind: Kind, canonical: str, *, now: Instant) -> None:
        """Make a phone or email proved on this account, in the place of the one it had. Raises AlreadyTaken."""
        ...

    async def drop_claims(self, identifier: Identifier, *, except_number: int | None, now: Instant) -> Sequence[int]:
        """Take an unproved phone or email off every other account; the numbers it was taken from."""
        ...
