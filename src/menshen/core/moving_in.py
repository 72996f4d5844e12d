"""What another program's data becomes on its way in: apps, accounts and sessions, and why some do not come.

Knows records. Must not know which program, nor how its data is written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from menshen.core.account.accounts import Account
from menshen.core.apps import CaptchaRule
from menshen.core.time import Instant


class RecordKind(StrEnum):
    """What comes in."""

    APP = "app"
    ACCOUNT = "account"
    SESSION = "session"


class Fate(StrEnum):
    """What became of it.

    SEEN_BEFORE: an earlier import dealt with it. DEFERRED: its number is in use, and it waits until the numbers of
    all others are known.
    """

    TAKEN = "taken"
    SEEN_BEFORE = "seen_before"
    LEFT_OUT = "left_out"
    DEFERRED = "deferred"


class Reason(StrEnum):
    """Why something was left out, or came in otherwise than it was. An operator reads these words in the report."""

    # Accounts that came in otherwise.
    RENUMBERED = "renumbered"
    USERNAME_IS_A_PHONE = "username_is_a_phone"
    USERNAME_UNUSABLE = "username_unusable"
    USERNAME_TAKEN = "username_taken"
    PHONE_UNUSABLE = "phone_unusable"
    PHONE_TAKEN = "phone_taken"
    EMAIL_UNUSABLE = "email_unusable"
    EMAIL_TAKEN = "email_taken"
    PASSWORD_UNKNOWN = "password_unknown"
    # Accounts left out.
    DELETED = "deleted"
    NUMBER_UNUSABLE = "number_unusable"
    COLLISION = "collision"
    # Sessions left out.
    EXPIRED = "expired"
    NOT_OF_AN_ACCOUNT = "not_of_an_account"
    ACCOUNT_MISSING = "account_missing"
    ACCOUNT_DISABLED = "account_disabled"
    PASSWORD_CHANGED = "password_changed"
    TOKEN_UNUSABLE = "token_unusable"
    NEWER_LOGIN = "newer_login"
    # Apps left out.
    APPKEY_UNUSABLE = "appkey_unusable"
    APPKEY_TAKEN = "appkey_taken"
    SECRET_UNUSABLE = "secret_unusable"


@dataclass(frozen=True, slots=True)
class AppToImport:
    """A client app. `name` is a wish: another one is taken when it is in use or unfit."""

    line: int
    name: str
    appkey: str
    secret: str = field(repr=False)
    captcha: CaptchaRule
    disabled: bool


@dataclass(frozen=True, slots=True)
class AccountToImport:
    """An account under its old number, with `account.public_id` "" and `account.username` None where it has none.

    `mark` tells two accounts apart that had the same number in two databases. A CLOSED one only retires its number.
    `subject` is its old name, masked; `reasons` say what of it could not be used.
    """

    line: int
    source_number: int
    mark: int
    account: Account
    subject: str
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class SessionToImport:
    """A live login: digests only. `refresh` None when it has none. Instants are epoch ms."""

    line: int
    source_number: int
    token: bytes = field(repr=False)
    refresh: bytes | None = field(repr=False)
    platform: str
    issued_at: Instant
    expires_at: Instant
    refresh_expires_at: Instant


@dataclass(frozen=True, slots=True)
class ImportResult:
    """One line of the report. `subject` is masked; `number` is an account's in this installation, None for none."""

    kind: RecordKind
    line: int
    fate: Fate
    reasons: tuple[Reason, ...] = ()
    subject: str = ""
    number: int | None = None


def left_out(kind: RecordKind, line: int, reason: Reason, subject: str) -> ImportResult:
    """It cannot come in; `subject` is masked already."""
    return ImportResult(kind, line, Fate.LEFT_OUT, (reason,), subject)
