"""Define the outcomes of a login. A dialect has an arm for each, or its types do not fit."""

from __future__ import annotations

from dataclasses import dataclass, field

from menshen.core.account.accounts import Account
from menshen.core.problems import Denied
from menshen.core.sessions.sessions import Session
from menshen.core.time import NEVER, Instant


@dataclass(frozen=True, slots=True)
class Granted:
    """Hold a durable session. `account.previous_login_*` is the login before it. `refresh` is "" if none is issued.

    `began` is the method of the first proof, which chooses the form of the answer. `trust` is the token of a trusted
    device, "" for none, and `trust_until` its end (epoch ms). `recovery_codes` are those of a factor that this login
    enrolled.
    """

    account: Account
    session: Session
    token: str = field(repr=False)
    csrf: str = field(repr=False)
    refresh: str = field(default="", repr=False)
    began: str = ""
    trust: str = field(default="", repr=False)
    trust_until: Instant = NEVER
    recovery_codes: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class StepNeeded:
    """Say that the first proof was right, and that a second one is due. No session is open.

    `ticket` names the pending login until `expires_at`. `methods` are the factors that may complete it. With `enroll`
    the account has none, and the ticket opens the enrolment of the kinds that are `allowed`. `phone` is the masked
    phone that an SMS code must prove before that, "" for none. `cookie` binds the ticket to a browser, "" elsewhere.
    `refused` says that a `second_code` in the login's request was judged, and why it does not complete it.
    """

    ticket: str = field(repr=False)
    methods: tuple[str, ...]
    expires_at: Instant
    enroll: bool = False
    allowed: tuple[str, ...] = ()
    phone: str = ""
    cookie: str = field(default="", repr=False)
    refused: Denied | None = None


LoginOutcome = Granted | StepNeeded | Denied
