"""What comes from another program: where it is read, and the ledger that keeps it from coming in twice."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from menshen.core.account.accounts import Account
from menshen.core.moving_in import AccountToImport, AppToImport, SessionToImport, Told
from menshen.core.sessions.sessions import Session
from menshen.core.time import Instant


class SourceBroken(Exception):
    """The source cannot be taken in any further; what it gave before is good. One sentence, fit to show."""


class ImportSource(Protocol):
    """Another program's data. Each call reads it from its beginning; both raise SourceBroken."""

    def people(self) -> Iterator[AppToImport | AccountToImport | Told]:
        """Apps and accounts in any order, and what of them cannot come in."""
        ...

    def sessions(self) -> Iterator[SessionToImport | Told]:
        """Live logins, and what of them cannot come in."""
        ...


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a number of the source: the account here, and whether it still is as it came."""

    mark: int
    number: int
    active: bool
    password_changed: bool


@dataclass(frozen=True, slots=True)
class ImportedSession:
    """A session to store, with the digests of its tokens and when both are worth nothing any more."""

    session: Session
    token: bytes
    refresh: bytes | None
    forget_at: Instant


class ImportReader(Protocol):
    """Looking, for many at once."""

    async def known(self, source: str, numbers: Collection[int]) -> Mapping[int, Imported]:
        """Those of the source's numbers that came in before."""
        ...

    async def tokens_known(self, tokens: Collection[bytes]) -> Collection[bytes]:
        """Those of the token digests that came in before, whatever became of their sessions."""
        ...

    async def taken(self, accounts: Sequence[Account]) -> Sequence[frozenset[str]]:
        """For each: which of its "number", "username", "phone" and "email" it cannot have.

        A number stands on any account, also a closed one. A phone stands on another account, unless that one
        did not prove it and this one did; an email only when both did.
        """
        ...

    async def claimed(self, emails: Collection[str]) -> Collection[str]:
        """Those of the emails that stand unproved on some account."""
        ...


class Imports(ImportReader, Protocol):
    """Changing."""

    async def reserve_numbers(self, highest: int) -> None:
        """Whoever is given a number from now on is given one above `highest`, and above every account's."""
        ...

    async def add_accounts(self, accounts: Sequence[Account]) -> Mapping[str, int]:
        """Store them as they are, number 0 under the next one; public id to number of those that were stored.

        One that meets another in a number, username, phone or proved email is not; the transaction lives on.
        """
        ...

    async def note(self, source: str, came: Mapping[int, tuple[int, int]]) -> None:
        """Enter (mark, account number) under each of the source's numbers."""
        ...

    async def add_sessions(self, sessions: Sequence[ImportedSession]) -> Collection[str]:
        """Store those whose token never came in before, in the place of an older login of their slot.

        The ids of those that were stored: not those of whose slot there is a newer login.
        """
        ...
