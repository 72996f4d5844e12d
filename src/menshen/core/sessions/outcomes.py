"""Define the results of a token check."""

from __future__ import annotations

from dataclasses import dataclass, field

from menshen.core.account.accounts import Account
from menshen.core.sessions.sessions import Session


@dataclass(frozen=True, slots=True)
class Authenticated:
    """Identify the caller by a live session and its account."""

    session: Session
    account: Account


@dataclass(frozen=True, slots=True)
class Bearer:
    """Hold the short result of a token check. `GET /auth/verify` puts it into headers, and may ask for a proof or role.

    `roles` are words with spaces between them. `phone_proved` says that a code proved the account's phone, and
    `email_proved` the same of its email. `level` is 2 for a session with two proofs.
    """

    account_id: str
    account_number: int
    roles: str
    phone_proved: bool = False
    email_proved: bool = False
    level: int = 1


@dataclass(frozen=True, slots=True)
class Requirement:
    """Hold what a service asks for beside a good token: proofs, and roles of which the account needs each."""

    phone_proved: bool = False
    email_proved: bool = False
    roles: frozenset[str] = field(default_factory=frozenset)
    level: int = 1

    def met_by(self, bearer: Bearer) -> bool:
        """Check if an account meets all of it."""
        if self.phone_proved and not bearer.phone_proved:
            return False
        if self.email_proved and not bearer.email_proved:
            return False
        if bearer.level < self.level:
            return False
        return self.roles <= set(bearer.roles.split())
