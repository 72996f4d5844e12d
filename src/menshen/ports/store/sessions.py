"""Store sessions. An ended session has no row. Tokens and refresh tokens are digests only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from menshen.core.account.accounts import Account
from menshen.core.sessions.outcomes import Bearer
from menshen.core.sessions.sessions import Session
from menshen.core.time import NEVER, Instant


@dataclass(frozen=True, slots=True)
class CheckedToken:
    """Hold the few columns of the token check."""

    session_id: str
    bearer: Bearer
    expires_at: Instant
    ends_at: Instant
    seen_at: Instant
    sliding_ms: int


@dataclass(frozen=True, slots=True)
class SpentRefresh:
    """Hold what is known of a refresh token that was rotated.

    `successor` is what `rotate` was given for the present pair of its session, b"" if that is gone.
    `retried`: `retry` has noted that this pair was asked for again. `paid_until` is the session's `refresh_paid_until`.
    """

    session_id: str
    account_number: int
    spent_at: Instant
    successor: bytes = field(default=b"", repr=False)
    retried: bool = False
    paid_until: Instant = NEVER


class TokenMemory(Protocol):
    """Remember recent results that are still valid."""

    def recall(self, token: bytes) -> CheckedToken | None:
        """Return the live session of a token digest. None says nothing about the token."""
        ...


class SessionReader(Protocol):
    """Find sessions. Sessions of inactive accounts, of an older epoch or of a disabled app are not found."""

    async def check(self, token: bytes) -> CheckedToken | None:
        """Find by token digest, for the token check. The caller checks expiry."""
        ...

    async def find(self, token: bytes) -> tuple[Session, Account] | None:
        """Find by token digest. The caller checks expiry."""
        ...

    async def list_of(self, account_number: int) -> Sequence[Session]:
        """Return all rows of an account, newest first, those of disabled apps too: they are found again later."""
        ...

    async def find_spent_refresh(self, refresh: bytes) -> SpentRefresh | None:
        """Find a refresh digest that was rotated, also if its session has ended."""
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

    async def hold(self, session_id: str) -> Account | None:
        """Lock a session and its account for the rest of the transaction. Return the account behind the lock.

        Return None if a check would not find the session any more: it ended, or its account, app or epoch did.
        """
        ...

    async def holds(self, token: bytes, refresh: bytes) -> bool:
        """Check if exactly this pair is the present one of a session."""
        ...

    async def rotate(
        self,
        old_token: bytes,
        old_refresh: bytes,
        new_token: bytes,
        new_refresh: bytes,
        session: Session,
        *,
        spent_at: Instant = NEVER,
        successor: bytes = b"",
    ) -> bool:
        """Replace the old pair by the new one and `session`'s instants, and remember the old refresh as spent.

        `session.refreshes` counts this refresh. The last `core.gates.members.SPENT_KEPT` spent ones are remembered.
        It was spent at `spent_at`, without it when the session was seen. `successor` is the new pair, sealed. It takes
        the place of the one before, and is swept `REUSE_GRACE` ms later. Atomic: of all callers with one pair, exactly
        one gets true.
        """
        ...

    async def retry(self, token: bytes, paid_until: Instant) -> bool:
        """Note that the answer with this pair was asked for again, and until when its session has paid.

        Atomic: of all callers, until the next `rotate`, exactly one gets true. None does once a check would not find
        the token any more.
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

    async def prove_twice(self, session_id: str, at: Instant, *, level: int, methods: str) -> bool:
        """Note that a second factor was proved, and what the session reaches by it. Return as `prove` does."""
        ...

    async def end(self, session_id: str, account_number: int) -> bool:
        """End one session of this account. Return false if there is none."""
        ...

    async def end_by_token(self, token: bytes, *, before_login_of: int) -> tuple[str, int] | None:
        """End the session of a token digest. Return its id and account number, None when there was none.

        The transaction may call `open` for the account `before_login_of` afterwards. Two such transactions that end
        each other's sessions take turns: neither waits for a lock that the other one holds.
        """
        ...

    async def end_all(self, account_number: int, *, except_id: str | None = None) -> Sequence[str]:
        """End all sessions of an account but `except_id`. Return the ids of the ended ones."""
        ...
