"""Turn rows into records and back. The order of fields here is the order of `statements/columns.sql`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter, itemgetter
from typing import Any

from menshen.core.account.accounts import Account, Gender, Profile, Status
from menshen.core.account.profiles import TEXTS
from menshen.core.account.security_links import SecurityLink
from menshen.core.apps import App
from menshen.core.audit.events import Event
from menshen.core.factors.passkeys import Passkey
from menshen.core.factors.pending import PendingLogin
from menshen.core.factors.trusted_devices import TrustedDevice
from menshen.core.plain_text import plain
from menshen.core.sessions.sessions import Session

PROFILE_FIELDS = tuple(f.name for f in fields(Profile))
ACCOUNT_FIELDS = tuple(f.name for f in fields(Account) if f.name != "profile")
SESSION_FIELDS = tuple(f.name for f in fields(Session))
APP_FIELDS = tuple(f.name for f in fields(App))
PASSKEY_FIELDS = tuple(f.name for f in fields(Passkey))
PENDING_FIELDS = tuple(f.name for f in fields(PendingLogin))
TRUSTED_FIELDS = tuple(f.name for f in fields(TrustedDevice))
LINK_FIELDS = tuple(f.name for f in fields(SecurityLink))
# The record calls `source` what the column calls `dialect`.
EVENT_FIELDS = tuple("dialect" if f.name == "source" else f.name for f in fields(Event))
_session_values = attrgetter(*SESSION_FIELDS)
_event_values = attrgetter(*(f.name for f in fields(Event)))

_SPLIT = len(ACCOUNT_FIELDS)
_END = _SPLIT + len(PROFILE_FIELDS)


def _place(name: str) -> int:
    return (ACCOUNT_FIELDS + PROFILE_FIELDS).index(name)


_STATUS, _PHONE_VERIFIED, _EMAIL_VERIFIED, _SECOND_STEP = map(
    _place, ("status", "phone_verified", "email_verified", "second_step")
)
_GENDER, _REAL_NAME_VERIFIED = map(_place, ("gender", "real_name_verified"))
_REFUND_RATE, _DISPUTE_RATE, _AVATAR = map(_place, ("refund_rate", "dispute_rate", "avatar_url"))
_LOGIN_IPS = tuple(map(_place, ("login_ip", "previous_login_ip")))
_texts_of = itemgetter(*_LOGIN_IPS, *map(_place, TEXTS))


def account_of(row: Sequence[Any]) -> Account:
    """Make the record of a row: its number, then the columns of `{account}`.

    Texts of people are as answers may show them: releases before decision 0056 stored others, too.
    """
    # Every login and refresh runs this: it is written out, because loops and calls cost instructions.
    values = list(row)
    values[_STATUS] = Status(values[_STATUS])
    values[_PHONE_VERIFIED] = bool(values[_PHONE_VERIFIED])
    values[_EMAIL_VERIFIED] = bool(values[_EMAIL_VERIFIED])
    values[_SECOND_STEP] = bool(values[_SECOND_STEP])
    values[_GENDER] = Gender(values[_GENDER])
    values[_REAL_NAME_VERIFIED] = bool(values[_REAL_NAME_VERIFIED])
    # SQLite's RETURNING shows what was given, before the column made it a float.
    values[_REFUND_RATE] = float(values[_REFUND_RATE])
    values[_DISPUTE_RATE] = float(values[_DISPUTE_RATE])
    # A printable text is plain, and most profiles hold nothing else.
    if row[_AVATAR] or not "".join(_texts_of(row)).isprintable():
        _show_plain(values)
    values[_SPLIT:] = [Profile(*values[_SPLIT:_END])]
    return Account(*values)


def _show_plain(values: list[Any]) -> None:
    for place in _LOGIN_IPS:
        values[place] = plain(values[place])
    for name, rule in TEXTS.items():
        place = _place(name)
        values[place] = rule.shown(values[place])


def account_row(account: Account) -> dict[str, Any]:
    """Name the columns of an account: what `account_of` reads."""
    values: dict[str, Any] = {name: column_value(getattr(account, name)) for name in ACCOUNT_FIELDS}
    values["status"] = account.status.value
    return values | {name: column_value(getattr(account.profile, name)) for name in PROFILE_FIELDS}


def column_value(value: object) -> object:
    """Turn what a record holds into what its column holds: columns know no booleans."""
    return int(value) if isinstance(value, bool | Gender) else value


def session_of(row: Sequence[Any]) -> Session:
    """Make the record of a row that begins with the columns of `{session}`."""
    return Session(*row[: len(SESSION_FIELDS)])


def session_row(session: Session) -> dict[str, Any]:
    """Name the columns of a session, without its digests."""
    return dict(zip(SESSION_FIELDS, _session_values(session), strict=True))


def event_row(event: Event) -> dict[str, Any]:
    """Name the columns of an event."""
    return dict(zip(EVENT_FIELDS, _event_values(event), strict=True))


def record_row(record: object, names: Sequence[str]) -> dict[str, Any]:
    """Name the columns of a record whose fields are its columns."""
    return {name: column_value(getattr(record, name)) for name in names}


def passkey_of(row: Sequence[Any]) -> Passkey:
    """Make the record of the columns of `{passkey}`."""
    known = dict(zip(PASSKEY_FIELDS, row, strict=True))
    for name in ("credential", "public_key"):
        known[name] = bytes(known[name])
    for name in ("synced", "backed_up", "step_only"):
        known[name] = bool(known[name])
    return Passkey(**known)


def pending_of(row: Sequence[Any]) -> PendingLogin:
    """Make the record of the columns of `{pending_login}`."""
    return PendingLogin(*row)


def trusted_of(row: Sequence[Any]) -> TrustedDevice:
    """Make the record of the columns of `{trusted_device}`."""
    return TrustedDevice(*row)


def link_of(row: Sequence[Any]) -> SecurityLink:
    """Make the record of the columns of `{security_link}`."""
    return SecurityLink(*row)
