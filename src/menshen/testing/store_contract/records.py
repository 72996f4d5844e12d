"""Make the records that the suites store. Their fields differ, so that a mix-up shows."""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from typing import Any

from menshen.core.account.accounts import Account, Gender, NewAccount, Profile
from menshen.core.sessions.sessions import Session
from menshen.core.time import DAY, NEVER, Instant, after
from menshen.core.tokens import digest
from menshen.ports.store.store import Store, WriteTx

NOW = Instant(1_800_000_000_000)

PROFILE = Profile(
    nickname="小明🦊",
    avatar_url="https://img.example/a?b=c&d",
    city="沈阳",
    province="辽宁",
    country="中国",
    gender=Gender.FEMALE,
    birthday="1999-12-31",
    description='it\'s "quoted"; -- 100%_\\',
    level="7",
    major="钢琴",
    real_name_verified=True,
    refund_rate=0.25,
    dispute_rate=1.5,
    serve_num=3,
    work_num=2**40,
)


def left_at_default(record: Any) -> list[str]:
    """Return the fields of a record that have their default, those of records in it too.

    A full record has none: a column that is not stored, or that another column is stored in, shows in the round trip.
    """
    found: list[str] = []
    for field in fields(record):
        value = getattr(record, field.name)
        if is_dataclass(value):
            found += [f"{field.name}.{inner}" for inner in left_at_default(value)]
        else:
            default = field.default if field.default_factory is MISSING else field.default_factory()
            found += [field.name] * (default is not MISSING and value == default)
    return found


def newcomer(username: str, **given: Any) -> NewAccount:
    """Return an account with this username. All other fields are as given, or empty."""
    fields: dict[str, Any] = {"public_id": f"id-of-{username}", "username_shown": username, "created_at": NOW}
    return NewAccount(username=username, **fields | given)


async def settle(store: Store, username: str, **given: Any) -> Account:
    """Store the account and return it."""
    return await store.write(lambda tx: tx.accounts.add(newcomer(username, **given)))


def session_of(account: Account, session_id: str, **given: Any) -> Session:
    """Return a session that slides for 30 days of 180 by default."""
    fields: dict[str, Any] = {
        "app_id": 1,
        "dialect": "weidu",
        "platform": "weidu",
        "slot": None,
        "device_id": "",
        "device_model": "",
        "device_name": "",
        "ip": "192.0.2.7",
        "created_at": NOW,
        "seen_at": NOW,
        "proved_at": NOW,
        "expires_at": after(NOW, 30 * DAY),
        "ends_at": after(NOW, 180 * DAY),
        "sliding_ms": 30 * DAY,
        "refresh_expires_at": NEVER,
    }
    return Session(session_id=session_id, account_number=account.number, **fields | given)


async def open_in(tx: WriteTx, session: Session, refresh: bytes | None = None, most: int = 20) -> list[str]:
    """Open a session as a login does: the account's row is locked first. The session id's digest is the token."""
    login = await tx.accounts.record_login(
        session.account_number, ip=session.ip, now=session.created_at, password_version=None
    )
    assert login is not None, "the account may not log in"
    return list(await tx.sessions.open(session, digest(session.session_id), refresh, most=most))


async def open_session(store: Store, session: Session, refresh: bytes | None = None, most: int = 20) -> list[str]:
    """Run `open_in` in its own transaction."""
    return await store.write(lambda tx: open_in(tx, session, refresh, most))


async def live(store: Store, *session_ids: str) -> list[str]:
    """Return those of the sessions that are found by their token."""
    return [one for one in session_ids if await store.read.sessions.find(digest(one))]
