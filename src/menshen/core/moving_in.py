"""Define the records of an import: apps, accounts and sessions, and the reasons why some are left out.

This module knows neither the other program nor the format of its data.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from menshen.core.account.accounts import Account
from menshen.core.apps import CaptchaRule
from menshen.core.time import Instant


class RecordKind(StrEnum):
    """Name the kinds of imported records."""

    APP = "app"
    ACCOUNT = "account"
    SESSION = "session"


class Fate(StrEnum):
    """Name the results of importing one record.

    SEEN_BEFORE: an earlier import has processed it. DEFERRED: its number is in use. It waits until the numbers of all
    other records are known.
    """

    TAKEN = "taken"
    SEEN_BEFORE = "seen_before"
    LEFT_OUT = "left_out"
    DEFERRED = "deferred"


class Reason(StrEnum):
    """Name the reasons why a record was left out or changed. An operator reads these words in the report."""

    # Accounts that were imported with a change.
    RENUMBERED = "renumbered"
    USERNAME_IS_A_PHONE = "username_is_a_phone"
    USERNAME_UNUSABLE = "username_unusable"
    USERNAME_TAKEN = "username_taken"
    PHONE_UNUSABLE = "phone_unusable"
    PHONE_TAKEN = "phone_taken"
    EMAIL_UNUSABLE = "email_unusable"
    EMAIL_TAKEN = "email_taken"
    IDENTIFIER_FOLDED = "identifier_folded"
    PASSWORD_UNKNOWN = "password_unknown"
    PROFILE_MENDED = "profile_mended"
    # Accounts that were left out.
    DELETED = "deleted"
    NUMBER_UNUSABLE = "number_unusable"
    COLLISION = "collision"
    # Sessions that were left out.
    EXPIRED = "expired"
    NOT_OF_AN_ACCOUNT = "not_of_an_account"
    ACCOUNT_MISSING = "account_missing"
    ACCOUNT_DISABLED = "account_disabled"
    PASSWORD_CHANGED = "password_changed"
    TOKEN_UNUSABLE = "token_unusable"
    NEWER_LOGIN = "newer_login"
    # Apps that were left out.
    APPKEY_UNUSABLE = "appkey_unusable"
    APPKEY_TAKEN = "appkey_taken"
    SECRET_UNUSABLE = "secret_unusable"


@dataclass(frozen=True, slots=True)
class AppToImport:
    """Hold a client app. If `name` is in use or not allowed, the app gets another name."""

    line: int
    name: str
    appkey: str
    secret: str = field(repr=False)
    captcha: CaptchaRule
    disabled: bool


@dataclass(frozen=True, slots=True)
class AccountToImport:
    """Hold an account under its old number. `account.public_id` is "". `account.username` is None if it has none.

    `mark` distinguishes two accounts that had the same number in two databases. A CLOSED account only reserves its
    number, so that no other account gets it. `subject` is the old name, masked. `reasons` say which parts are unusable.
    """

    line: int
    source_number: int
    mark: int
    account: Account
    subject: str
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class SessionToImport:
    """Hold a live session, with digests only. `refresh` is None if it has no refresh token. Instants are epoch ms."""

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
    """Hold one line of the report. `subject` is masked. `number` is the account's number here, or None."""

    kind: RecordKind
    line: int
    fate: Fate
    reasons: tuple[Reason, ...] = ()
    subject: str = ""
    number: int | None = None


def left_out(kind: RecordKind, line: int, reason: Reason, subject: str) -> ImportResult:
    """Make the result of a record that cannot be imported. `subject` is already masked."""
    return ImportResult(kind, line, Fate.LEFT_OUT, (reason,), subject)
