"""Store which records of another program were imported, so that none is imported twice."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from menshen.core.account.accounts import Account
from menshen.core.sessions.sessions import Session
from menshen.core.time import Instant


@dataclass(frozen=True, slots=True)
class Imported:
    """Describe the account that a number of the source became, and if it changed since the import."""

    mark: int
    number: int
    active: bool
    password_changed: bool


@dataclass(frozen=True, slots=True)
class ImportedSession:
    """Hold a session to store, with the digests of its tokens and the time when both have expired."""

    session: Session
    token: bytes
    refresh: bytes | None
    forget_at: Instant


class ImportReader(Protocol):
    """Find many records at once."""

    async def known(self, source: str, numbers: Collection[int]) -> Mapping[int, Imported]:
        """Return those of the source's numbers that were imported before."""
        ...

    async def tokens_known(self, tokens: Collection[bytes]) -> Collection[bytes]:
        """Return those of the token digests that were imported before, even if their sessions have ended."""
        ...

    async def taken(self, accounts: Sequence[Account]) -> Sequence[frozenset[str]]:
        """Return for each account which of its "number", "username", "phone" and "email" are taken.

        A number is taken by any account, also a closed one. A phone is taken by another account, unless only this one
        verified it. An email is taken only if both verified it.
        """
        ...

    async def claimed(self, emails: Collection[str]) -> Collection[str]:
        """Return those of the emails that an account has unverified."""
        ...


class Imports(ImportReader, Protocol):
    """Change records of imports."""

    async def hold(self, source: str) -> None:
        """Let no other import of the source be here until the transaction ends: `known` is read after it."""
        ...

    async def hold_accounts(self, source: str, numbers: Collection[int]) -> None:
        """Lock the accounts that came as `numbers`. Other transactions that change them wait until this one ends."""
        ...

    async def reserve_numbers(self, highest: int) -> None:
        """Reserve numbers up to `highest`. A new account gets one above it, and above every account's."""
        ...

    async def add_accounts(self, accounts: Sequence[Account]) -> Mapping[str, int]:
        """Store accounts unchanged, number 0 under the next one. Return public id and number of the stored ones.

        An account is left out if its number, username, phone or verified email is taken. The transaction goes on.
        """
        ...

    async def note(self, source: str, came: Mapping[int, tuple[int, int]]) -> None:
        """Store (mark, account number) under each of the source's numbers."""
        ...

    async def add_sessions(self, sessions: Sequence[ImportedSession]) -> Collection[str]:
        """Store the sessions with a new token, in place of an older session of their slot. Return the stored ids.

        A session is left out if its slot has a newer one.
        """
        ...
