"""Who is calling, as a token tells."""

from __future__ import annotations

from dataclasses import dataclass

from menshen.core.account.accounts import Account
from menshen.core.sessions.sessions import Session


@dataclass(frozen=True, slots=True)
class Authenticated:
    """Who is calling: a live session and its account."""

    session: Session
    account: Account


@dataclass(frozen=True, slots=True)
class Bearer:
    """The little that a token check tells: what `GET /auth/verify` puts in headers."""

    account_id: str
    account_number: int
    roles: str
