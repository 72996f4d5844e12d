"""Store sessions. An ended session has no row. Tokens and refresh tokens are digests only."""

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
    """Hold the few columns of the token check."""

    session_id: str
    bearer: Bearer
    expires_at: Instant
    ends_at: Instant
    seen_at: Instant
    sliding_ms: int


class TokenMemory(Protocol):
    """Remember recent results that are still valid."""

    def recall(self, token: bytes) -> CheckedToken | None:
        """Return the live session of a token digest. None says nothing about the token."""
        ...


class SessionReader(Protocol):
    """Find sessions. Sessions of inactive accounts or of an older epoch are never found."""

    async def check(self, token: bytes) -> CheckedToken | None:
        """Find by token digest, for the token check. The caller checks expiry."""
        ...

    async def find(self, token: bytes) -> tuple[Session, Account] | None:
        """Find by token digest. The caller checks expiry."""
        ...

    async def list_of(self, account_number: int) -> Sequence[Session]:
        """Return all rows of an account, newest first."""
        ...

    async def find_spent_refresh(self, refresh: bytes) -> tuple[str, int, Instant] | None:
        """Return (session id, account number, spent at) of a refresh digest that was rotated."""
        ...


class Sessions(SessionReader, Protocol):
    """Change sessions, inside a write transaction."""

    async def open(
        self, session: Session, token: bytes, refresh: bytes | None, *, most: int, replaces: bytes = b""
    ) -> Sequence[str]:
        """Store a session in place of older ones of its slot and of its device. Return the ids of the ended ones.

        The account's session with the token digest `replaces` ends, too. Of the account's other sessions the oldest end
        until `most` remain, the new one included. `record_login` has locked the account's row before, so concurrent
        logins take turns.
        """
        ...

    async def holds(self, token: bytes, refresh: bytes) -> bool:
        """Check if exactly this pair is the present one of a session."""
        ...

    async def rotate(
        self, old_token: bytes, old_refresh: bytes, new_token: bytes, new_refresh: bytes, session: Session
    ) -> bool:
        """Replace the old pair by the new one and `session`'s instants, and remember the old refresh as spent.

        Atomic: of all callers with one pair, exactly one gets true.
        """
        ...

    async def touch(self, session_id: str, seen_at: Instant, expires_at: Instant) -> None:
        """Note a use. An instant never moves backwards."""
        ...

    async def prove(self, session_id: str, at: Instant) -> bool:
        """Note when identity was proved. Return false if the session has ended.

        The session cannot end before the transaction does.
        """
        ...

    async def end(self, session_id: str, account_number: int) -> bool:
        """End one session of this account. Return false if there is none."""
        ...

    async def end_by_token(self, token: bytes) -> tuple[str, int] | None:
        """End the session of a token digest. Return its id and account number, None when there was none."""
        ...

    async def end_all(self, account_number: int, *, except_id: str | None = None) -> Sequence[str]:
        """End all sessions of an account but `except_id`. Return the ids of the ended ones."""
        ...
