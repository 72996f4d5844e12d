"""Define the outcomes of a login."""

from __future__ import annotations

from dataclasses import dataclass, field

from menshen.core.account.accounts import Account
from menshen.core.problems import Denied
from menshen.core.sessions.sessions import Session


@dataclass(frozen=True, slots=True)
class Granted:
    """Hold a durable session. `account.previous_login_*` is the login before it. `refresh` is "" if none is issued."""

    account: Account
    session: Session
    token: str = field(repr=False)
    csrf: str = field(repr=False)
    refresh: str = field(default="", repr=False)


LoginOutcome = Granted | Denied
