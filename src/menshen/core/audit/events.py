"""The audit vocabulary: closed, one event per decision, written in the decision's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from menshen.core.time import Instant


class Tag(StrEnum):
    """What can happen."""

    LOGIN_SUCCEEDED = "login.succeeded"
    LOGIN_FAILED = "login.failed"
    LOGIN_REFUSED = "login.refused"
    SESSION_ENDED = "session.ended"
    SESSION_REFRESHED = "session.refreshed"
    REFRESH_REUSED = "session.refresh_reused"
    ACCOUNT_REGISTERED = "account.registered"
    ACCOUNT_DISABLED = "account.disabled"
    ACCOUNT_ENABLED = "account.enabled"
    ACCOUNT_CLOSED = "account.closed"
    ACCOUNT_IMPORTED = "account.imported"
    PROFILE_CHANGED = "account.profile_changed"
    IDENTIFIER_BOUND = "account.identifier_bound"
    IDENTIFIER_DROPPED = "account.identifier_dropped"
    PASSWORD_CHANGED = "password.changed"
    PASSWORD_RESET = "password.reset"
    PASSWORD_REHASHED = "password.rehashed"
    PASSWORD_SUSPENDED = "password.suspended"
    CODE_SENT = "code.sent"
    CODE_REFUSED = "code.refused"
    CODE_VERIFIED = "code.verified"
    CODE_BUDGET_HALF = "code.budget_half"
    CODE_BUDGET_SPENT = "code.budget_spent"
    CODE_PREFIX_PUMPED = "code.prefix_pumped"
    TEST_NUMBER_USED = "code.test_number_used"
    IDENTITY_PROVED = "identity.proved"
    APP_ADDED = "app.added"
    APP_CHANGED = "app.changed"


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
