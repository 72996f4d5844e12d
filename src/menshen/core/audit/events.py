"""Define all audit events. Each decision writes one event in its own transaction."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from menshen.core.time import Instant


class Tag(StrEnum):
    """Name the kinds of audit events. The docs show the text below each member."""

    LOGIN_SUCCEEDED = "login.succeeded"
    """A login opened a session; the reason is the method."""
    LOGIN_FAILED = "login.failed"
    """A password was wrong; the subject may belong to no account."""
    LOGIN_REFUSED = "login.refused"
    """A login was refused for another reason than a wrong password; the reason says which."""
    LOGIN_STEP_NEEDED = "login.step_needed"
    """A first proof was right, and a second step is due; the reason is the method of the first proof."""
    STEP_FAILED = "login.step_failed"
    """A second step, or a proof by a factor, was wrong; the reason is the factor."""
    STEP_ELSEWHERE = "login.step_elsewhere"
    """A second step came from another network than the first proof, with the same device or browser."""
    TOTP_SUSPENDED = "factor.suspended"
    """Codes of an app were suspended after `step_suspend_after` wrong ones in a row."""
    FACTOR_ADDED = "factor.added"
    """The owner enrolled a factor; the reason is its kind."""
    FACTOR_REMOVED = "factor.removed"
    """The owner removed a factor; the reason is its kind."""
    FACTOR_RENAMED = "factor.renamed"
    """The owner renamed a passkey."""
    FACTORS_RESET = "factor.reset"
    """An operator removed all factors of an account."""
    SECOND_STEP_ON = "factor.second_step_on"
    """The owner asked for two proofs at each login."""
    SECOND_STEP_OFF = "factor.second_step_off"
    """The owner asked for one proof again."""
    RECOVERY_MADE = "recovery.made"
    """A new set of recovery codes took the place of the old one."""
    RECOVERY_USED = "recovery.used"
    """A recovery code was spent; the reason is how many are left."""
    PASSKEY_CLONE_SUSPECTED = "passkey.clone_suspected"
    """The counter of a passkey went back; the reason says whether it was refused or noted."""
    DEVICE_TRUSTED = "trust.added"
    """A device is trusted after a second step."""
    TRUST_REVOKED = "trust.revoked"
    """A trusted device ended; the reason says why."""
    SESSION_ENDED = "session.ended"
    """A session ended before it expired: logout, newer login, changed password or identifier, an operator."""
    SESSION_REFRESHED = "session.refreshed"
    """A refresh token was exchanged for a new pair."""
    REFRESH_RETRIED = "session.refresh_retried"
    """A used refresh token was presented again within the grace period, and its pair was given again: once a pair."""
    REFRESH_REUSED = "session.refresh_reused"
    """A used refresh token was presented again after the grace period; its session ended."""
    ACCOUNT_REGISTERED = "account.registered"
    """An account was registered or added."""
    NOT_ME = "account.not_me"
    """The owner said by the link of a notice that an act was not theirs; the reason says what ended.
    The session is the one that did the act."""
    ACCOUNT_DISABLED = "account.disabled"
    """An operator disabled an account."""
    ACCOUNT_ENABLED = "account.enabled"
    """An operator enabled an account again."""
    ACCOUNT_CLOSED = "account.closed"
    """An account was deleted: by its owner, and the reason is the proof, by an operator, or after days of grace."""
    ACCOUNT_CLOSING = "account.closing"
    """The owner closed the account with days of grace; the reason is the proof. All sessions ended."""
    CLOSING_TAKEN_BACK = "account.closing_taken_back"
    """A login in the days of grace took the closing back."""
    ACCOUNT_EXPORTED = "account.exported"
    """The owner or an operator got all that is kept about an account."""
    EXPORT_ORDERED = "account.export_ordered"
    """The owner ordered an export, which can be fetched for a day."""
    ACCOUNT_IMPORTED = "account.imported"
    """An account was imported from another program."""
    PROFILE_CHANGED = "account.profile_changed"
    """The owner changed the profile."""
    IDENTIFIER_BOUND = "account.identifier_bound"
    """A phone or email was proved and bound to an account."""
    IDENTIFIER_DROPPED = "account.identifier_dropped"
    """An account lost an unproved phone or email to the person who proved it."""
    IDENTIFIER_REMOVED = "account.identifier_removed"
    """The owner removed a phone or email; the reason is which."""
    TERMS_AGREED = "account.terms_agreed"
    """The owner agreed to terms, or to a further consent; the reason is its kind and version."""
    PASSWORD_CHANGED = "password.changed"
    """The owner changed the password, or set the first one: then the reason is "first"."""
    PASSWORD_RESET = "password.reset"
    """A password was reset, by a code or by an operator."""
    PASSWORD_REHASHED = "password.rehashed"
    """A right password was hashed again with the current parameters."""
    PASSWORD_SUSPENDED = "password.suspended"
    """A password was suspended after `suspend_after` failures in a row."""
    CODE_SENT = "code.sent"
    """A code was put into the outbox, or was requested for a test number."""
    CODE_REFUSED = "code.refused"
    """A code was wrong, no longer valid or over a limit, or was not sent; the reason says which."""
    CODE_VERIFIED = "code.verified"
    """A code was verified outside of a login."""
    CODE_BUDGET_HALF = "code.budget_half"
    """Half of a daily budget of codes is spent; the reason names the budget."""
    CODE_BUDGET_SPENT = "code.budget_spent"
    """A daily budget of codes is spent; the reason names the budget."""
    CODE_PREFIX_PUMPED = "code.prefix_pumped"
    """Too few codes to a prefix of numbers are verified; the reason gives prefix, verified and sent."""
    NOTICE_DROPPED = "notice.dropped"
    """A notice was not sent, because of its quota or a daily budget; the reason says which."""
    SENDER_DOWN = "sms.sender_down"
    """A sender of text messages or mail takes none; the reason names it, and the vendor's word for it."""
    SENDER_BACK = "sms.sender_back"
    """Such a sender takes messages again; the reason names it."""
    SENDER_SPENT = "sms.sender_spent"
    """A sender reached its limit of the day; the reason names it."""
    SENDER_TESTED = "sms.sender_tested"
    """An operator sent a code that opens nothing through a sender; the reason names it."""
    MESSAGE_UNREADABLE = "message.unreadable"
    """No key opens a message in the outbox, so it was not sent; the reason is its number."""
    TEST_NUMBER_USED = "code.test_number_used"
    """The fixed code of a test number was right."""
    IDENTITY_PROVED = "identity.proved"
    """The owner proved identity again before a change; the reason is the method."""
    APP_ADDED = "app.added"
    """An operator added an app."""
    APP_CHANGED = "app.changed"
    """An operator changed an app."""
    EPOCH_RAISED = "epoch.raised"
    """An operator ended everything that was issued before; the reason is the new number."""


ALARMS: Final = frozenset(
    {
        Tag.CODE_BUDGET_HALF,
        Tag.CODE_BUDGET_SPENT,
        Tag.CODE_PREFIX_PUMPED,
        Tag.SENDER_DOWN,
        Tag.SENDER_SPENT,
        Tag.MESSAGE_UNREADABLE,
    }
)
"""Events that the operator should look at. Metrics count them, for alerts."""

ADMIN: Final = "admin"
"""The source of events from the command line of an administrator."""


@dataclass(frozen=True, slots=True)
class Event:
    """Record one audited decision. It can hold no secret.

    `subject` is masked, `reason` is a stable word, `session_id` is opaque, and `request_id` is what the answer's
    `X-Request-Id` says, "" for what no request did. `source` names the dialect of the
    request, or is `ADMIN` for the command line. The database column and the key in the output of `menshen audit` are
    still called `dialect`.
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
    request_id: str = ""
