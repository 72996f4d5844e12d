"""Sessions at rest. An ended session has no row. Tokens and refresh tokens come as digests only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from menshen.core.account.accounts import Account
from menshen.core.sessions.outcomes import Bearer
from menshen.core.sessions.sessions import Session
from menshen.core.time import Instant


@dataclass(frozen=True, slots=True)
class CheckedToken:
    """The few columns of the hot path."""

    session_id: str
    bearer: Bearer
    expires_at: Instant
    ends_at: Instant
    seen_at: Instant
    sliding_ms: int


class TokenMemory(Protocol):
    """What was found lately and can still be believed."""

    def recall(self, token: bytes) -> CheckedToken | None:
        """Whom the session of a token digest belongs to, live now; None says nothing about the token."""
        ...


class SessionReader(Protocol):
    """Looking up. Sessions of accounts that are not active, and of an older epoch, are never found."""

    async def check(self, token: bytes) -> CheckedToken | None:
        """By token digest, the hot path; expiry is the caller's to judge."""
        ...

    async def find(self, token: bytes) -> tuple[Session, Account] | None:
        """By token digest; expiry is the caller's to judge."""
        ...

    async def list_of(self, account_number: int) -> Sequence[Session]:
        """All rows of an account, the newest first."""
        ...

    async def find_spent_refresh(self, refresh: bytes) -> tuple[str, int, Instant] | None:
        """(session id, account number, spent at) of a refresh digest that was rotated away."""
        ...


class Sessions(SessionReader, Protocol):
    """Changing sessions, inside a write transaction."""

    async def open(
        self, session: Session, token: bytes, refresh: bytes | None, *, most: int, replaces: bytes = b""
    ) -> Sequence[str]:
        """Store it in the place of its slot's and its device's older sessions; the ids of those that ended.

        So ends the account's session with the token digest `replaces`, if there is one.
        Of the account's other sessions the oldest go until `most` remain, this one among them. The account's row
        is locked by `record_login` before, so racing logins take turns.
        """
        ...

    async def holds(self, token: bytes, refresh: bytes) -> bool:
        """Whether this very pair is a session's present one."""
        ...

    async def rotate(
        self, old_token: bytes, old_refresh: bytes, new_token: bytes, new_refresh: bytes, session: Session
    ) -> bool:
        """Put a new pair and `session`'s instants in the place of the old pair, and remember the old refresh as spent.

        Atomic: of any number of racers with one pair, exactly one gets True.
        """
        ...

    async def touch(self, session_id: str, seen_at: Instant, expires_at: Instant) -> None:
        """Note use; never moves an instant backwards."""
        ...

    async def prove(self, session_id: str, at: Instant) -> bool:
        """Note when identity was proved; False when the session has ended. It ends no sooner than the transaction."""
        ...

    async def end(self, session_id: str, account_number: int) -> bool:
        """End one session of this account; False when there is none."""
        ...

    async def end_all(self, account_number: int, *, except_id: str | None = None) -> Sequence[str]:
        """End every session of an account but `except_id`; the ids of those that ended."""
        ...
