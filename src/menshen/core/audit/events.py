"""The audit vocabulary: closed, one event per decision, written in the decision's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from menshen.core.time import Instant


class Tag(StrEnum):
    """Name what can happen. The docs show the text below each member."""

    LOGIN_SUCCEEDED = "login.succeeded"
    """A login opened a session; the reason is the method."""
    LOGIN_FAILED = "login.failed"
    """A password was wrong; the subject may belong to no account."""
    LOGIN_REFUSED = "login.refused"
    """A login was refused without a verdict on its proof; the reason says why."""
    SESSION_ENDED = "session.ended"
    """A session ended before its time: logout, newer login, changed password or identifier, an operator."""
    SESSION_REFRESHED = "session.refreshed"
    """A refresh token was exchanged for a new pair."""
    REFRESH_REUSED = "session.refresh_reused"
    """A spent refresh token came back after the grace period; its session ended."""
    ACCOUNT_REGISTERED = "account.registered"
    """An account was registered or added."""
    ACCOUNT_DISABLED = "account.disabled"
    """An operator disabled an account."""
    ACCOUNT_ENABLED = "account.enabled"
    """An operator enabled an account again."""
    ACCOUNT_CLOSED = "account.closed"
    """An operator deleted an account."""
    ACCOUNT_IMPORTED = "account.imported"
    """An account came from another program."""
    PROFILE_CHANGED = "account.profile_changed"
    """The owner changed the profile."""
    IDENTIFIER_BOUND = "account.identifier_bound"
    """A phone or address was proved and bound to an account."""
    IDENTIFIER_DROPPED = "account.identifier_dropped"
    """An account lost an unproved phone or address to the person who proved it."""
    PASSWORD_CHANGED = "password.changed"
    """The owner changed the password."""
    PASSWORD_RESET = "password.reset"
    """A password was reset, by a code or by an operator."""
    PASSWORD_REHASHED = "password.rehashed"
    """A right password was hashed again at today's cost."""
    PASSWORD_SUSPENDED = "password.suspended"
    """A password was suspended after `suspend_after` failures in a row."""
    CODE_SENT = "code.sent"
    """A code was handed to the outbox, or a test number was asked for its code."""
    CODE_REFUSED = "code.refused"
    """A code was wrong, dead or over a limit, or was not sent; the reason says which."""
    CODE_VERIFIED = "code.verified"
    """A code was verified outside of a login."""
    CODE_BUDGET_HALF = "code.budget_half"
    """Half of a daily budget of codes is spent; the reason names the budget."""
    CODE_BUDGET_SPENT = "code.budget_spent"
    """A daily budget of codes is spent; the reason names the budget."""
    CODE_PREFIX_PUMPED = "code.prefix_pumped"
    """Too few codes to a prefix of numbers come back; the reason gives prefix, verified and sent."""
    TEST_NUMBER_USED = "code.test_number_used"
    """The fixed code of a test number was right."""
    IDENTITY_PROVED = "identity.proved"
    """The owner proved identity again before changing a phone or address."""
    APP_ADDED = "app.added"
    """An operator added an app."""
    APP_CHANGED = "app.changed"
    """An operator changed an app."""


ADMIN: Final = "admin"
"""The source of what an administrator does on the command line."""


@dataclass(frozen=True, slots=True)
class Event:
    """Record one audited decision. `subject` is masked, `reason` a stable word, `session_id` opaque: no secret fits in.

    `source` names the dialect that the decision came by, or `ADMIN` for the command line. The column of the database
    and the key in the output of `menshen audit` are called `dialect` still.
    """

    tag: Tag
    at: Instant
    account_number: int | None = None
    app_id: int | None = None
    source: str = ""
    ip: str = ""
    subject: str = ""
    reason: str = ""
    session_id: str = ""
