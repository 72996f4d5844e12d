"""Store accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from menshen.core.account.accounts import Account, NewAccount, Status
from menshen.core.codes.one_time_codes import CodeKey
from menshen.core.identifiers import Identifier, Kind
from menshen.core.time import Instant


class AlreadyTaken(Exception):
    """Report a value of another open account. `field` is "username", "phone", "email" or "public_id"."""

    def __init__(self, field: str) -> None:
        """Take the name of the field."""
        super().__init__(field)
        self.field = field


class AccountReader(Protocol):
    """Find accounts. `find_*` returns None for none. Closed accounts are found by number and public id only.

    What is shown of people comes out as `core.account.profiles` shows it, also if an older release stored other text.
    """

    async def find(self, number: int) -> Account | None: ...

    async def find_by_public_id(self, public_id: str) -> Account | None: ...

    async def find_owner(self, identifier: Identifier) -> Account | None:
        """Return the account that may log in by it: with this username, or with this phone or email verified."""
        ...

    async def find_claims(self, identifier: Identifier) -> Sequence[Account]:
        """Return all open accounts that have it, verified or not, at most 20."""
        ...

    async def nickname_taken(self, nickname: str, except_number: int | None) -> bool:
        """Check if an open account other than `except_number` has exactly this nickname."""
        ...

    async def due_to_close(self, now: Instant, *, limit: int) -> Sequence[int]:
        """Return the numbers of at most `limit` open accounts whose owners wanted them closed by `now`."""
        ...


class Accounts(AccountReader, Protocol):
    """Change accounts, inside a write transaction."""

    async def add(self, new: NewAccount) -> Account:
        """Store the account under the next number, and return it.

        Raises:
            AlreadyTaken: an open account has the username or phone, or the verified email. The transaction goes on.
        """
        ...

    async def hold(self, number: int) -> Account | None:
        """Lock an account for the rest of the transaction. Return it as it is behind the lock, closed ones too."""
        ...

    async def hold_owner(self, identifier: Identifier) -> Account | None:
        """Find as `find_owner`, and lock the account for the rest of the transaction.

        A change under way is waited for: an account that lost the identifier by it is not found.
        """
        ...

    async def record_login(
        self,
        number: int,
        *,
        ip: str,
        now: Instant,
        password_version: int | None,
        by: Identifier | CodeKey | None = None,
        judged: Account | None = None,
    ) -> Account | None:
        """Note a login, and lock the account for the rest of the transaction. Return the account.

        Return None if the account is no longer active, or if its password is no longer at `password_version` (when
        given). `by` says what it logs in with: an identifier must still be the account's own. A code that was
        spent must not have been deleted meanwhile; the account is then held already, and the version is not looked at.
        `judged` is the account by which the login was found to need no second step: its choice and its roles must be
        the same still. Atomic.
        """
        ...

    async def set_password(
        self, number: int, password_hash: str, *, now: Instant, expected_version: int | None = None
    ) -> bool:
        """Replace the password and raise its version. Return false if `expected_version` is not the present one."""
        ...

    async def replace_hash(self, number: int, old: str, new: str) -> bool:
        """Compare and set the hash text only (an upgrade, not a change of password)."""
        ...

    async def change_factors(self, number: int, *, now: Instant, second_step: bool | None = None) -> None:
        """Raise the version of the factors, and turn the second step on or off. None leaves it as it is."""
        ...

    async def set_status(self, number: int, status: Status, *, now: Instant) -> bool:
        """Set an open account to ACTIVE or DISABLED. Return false if it is so already, or closed."""
        ...

    async def set_closing(self, number: int, closes_at: Instant, *, now: Instant) -> bool:
        """Note when an open account closes, or with NEVER take that back. Atomic.

        Return false if it closes already, or if there is nothing to take back.
        """
        ...

    async def close(self, number: int, *, now: Instant) -> bool:
        """Close the account: identifiers, password and profile are erased, and its number is never used again."""
        ...

    async def set_profile(self, number: int, fields: Mapping[str, object], *, now: Instant) -> Account | None:
        """Set profile columns by their `Profile` name. Return the changed account, or None if it is not open."""
        ...

    async def set_username(self, number: int, username: str, shown: str, *, now: Instant) -> None:
        """Set the username. Raises AlreadyTaken."""
        ...

    async def set_identifier(self, number: int, kind: Kind, canonical: str, *, now: Instant) -> None:
        """Set a verified phone or email in place of the old one. Raises AlreadyTaken."""
        ...

    async def drop_identifier(self, number: int, kind: Kind, *, now: Instant) -> bool:
        """Remove the phone or email of an open account. Atomic.

        Return false if it has none, or if it is proved and the other one is not there or not proved.
        """
        ...

    async def drop_claims(self, identifier: Identifier, *, except_number: int | None, now: Instant) -> Sequence[int]:
        """Remove an unverified phone or email from all other accounts. Return their numbers."""
        ...
