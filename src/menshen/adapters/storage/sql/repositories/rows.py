"""Turn rows into records and back. The order of fields here is the order of `statements/columns.sql`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

from menshen.core.account.accounts import Account, Gender, Profile, Status
from menshen.core.apps import App
from menshen.core.audit.events import Event
from menshen.core.sessions.sessions import Session

PROFILE_FIELDS = tuple(f.name for f in fields(Profile))
ACCOUNT_FIELDS = tuple(f.name for f in fields(Account) if f.name != "profile")
SESSION_FIELDS = tuple(f.name for f in fields(Session))
APP_FIELDS = tuple(f.name for f in fields(App))
# The record calls `source` what the column calls `dialect`.
EVENT_FIELDS = tuple("dialect" if f.name == "source" else f.name for f in fields(Event))
_event_values = attrgetter(*(f.name for f in fields(Event)))

_SPLIT = len(ACCOUNT_FIELDS)
_MADE_OF_COLUMNS: tuple[tuple[int, Callable[[Any], Any]], ...] = (
    (ACCOUNT_FIELDS.index("status"), Status),
    (ACCOUNT_FIELDS.index("phone_verified"), bool),
    (ACCOUNT_FIELDS.index("email_verified"), bool),
)
_MADE_OF_PROFILE_COLUMNS: tuple[tuple[int, Callable[[Any], Any]], ...] = (
    (PROFILE_FIELDS.index("gender"), Gender),
    (PROFILE_FIELDS.index("real_name_verified"), bool),
    # SQLite's RETURNING shows what was given, before the column made it a float.
    (PROFILE_FIELDS.index("refund_rate"), float),
    (PROFILE_FIELDS.index("dispute_rate"), float),
)


def account_of(row: Sequence[Any]) -> Account:
    """Make the record of a row: its number, then the columns of `{account}`."""
    values = list(row[:_SPLIT])
    for place, made in _MADE_OF_COLUMNS:
        values[place] = made(values[place])
    values.append(_profile_of(row[_SPLIT : _SPLIT + len(PROFILE_FIELDS)]))
    return Account(*values)


def account_row(account: Account) -> dict[str, Any]:
    """Name the columns of an account: what `account_of` reads."""
    values: dict[str, Any] = {name: column_value(getattr(account, name)) for name in ACCOUNT_FIELDS}
    values["status"] = account.status.value
    return values | {name: column_value(getattr(account.profile, name)) for name in PROFILE_FIELDS}


def _profile_of(row: Sequence[Any]) -> Profile:
    values = list(row)
    for place, made in _MADE_OF_PROFILE_COLUMNS:
        values[place] = made(values[place])
    return Profile(*values)


def column_value(value: object) -> object:
    """Turn what a record holds into what its column holds: columns know no booleans."""
    return int(value) if isinstance(value, bool | Gender) else value


def session_of(row: Sequence[Any]) -> Session:
    """Make the record of a row that begins with the columns of `{session}`."""
    return Session(*row[: len(SESSION_FIELDS)])


def session_row(session: Session) -> dict[str, Any]:
    """Name the columns of a session, without its digests."""
    return {name: getattr(session, name) for name in SESSION_FIELDS}


def event_row(event: Event) -> dict[str, Any]:
    """Name the columns of an event."""
    return dict(zip(EVENT_FIELDS, _event_values(event), strict=True))
