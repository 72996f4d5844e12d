"""Open a session after the proof of identity. All ways to log in use this, and no other code opens a session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from menshen.core.account.accounts import Account
from menshen.core.apps import SessionRule
from menshen.core.audit.events import Tag
from menshen.core.codes.one_time_codes import CodeKey
from menshen.core.identifiers import Identifier
from menshen.core.keys import Keyring
from menshen.core.login.outcomes import Granted
from menshen.core.rules import DialectRules, Origin
from menshen.core.sessions.sessions import MAX_SESSIONS, Session, canonical_platform, slot_of
from menshen.core.time import NEVER, Instant, after
from menshen.core.tokens import TOKEN_BYTES, base32, digest, spell
from menshen.flows.audit.recording import event_of
from menshen.flows.gates.known_origin import device_digest
from menshen.ports.store.store import WriteTx
from menshen.ports.world import World

_MOST_PLATFORMS = 100
"""Most sessions of an account, one for each platform. Clients choose the names, and could fill the table."""


@dataclass(frozen=True, slots=True)
class Minted:
    """Hold new secrets for one session. They are drawn before the transaction, because it may run twice."""

    session_id: str
    token: str = field(repr=False)
    refresh: str = field(repr=False)


def mint(world: World, rules: DialectRules) -> Minted:
    """Draw a session id and tokens in the dialect's alphabet. `refresh` is "" if the dialect issues none."""
    refresh = spell(world.token_bytes(TOKEN_BYTES), rules.style) if rules.lifetimes.refresh else ""
    return Minted(base32(world.token_bytes(TOKEN_BYTES)), spell(world.token_bytes(TOKEN_BYTES), rules.style), refresh)


async def finish_login(
    tx: WriteTx,
    account: Account,
    origin: Origin,
    minted: Minted,
    *,
    keyring: Keyring,
    now: Instant,
    method: str,
    platform: str = "",
    judged_version: int | None = None,
    by: Identifier | CodeKey | None = None,
    reset_counters: Sequence[bytes] = (),
    refund_counters: Sequence[bytes] = (),
) -> Granted | None:
    """Open the session, and update all data that depends on it, in the caller's transaction.

    `judged_version` is the password version that was verified. `by` is the identifier that was typed, or the code that
    was spent at `now` (then the account is held). `reset_counters` are cleared, and this attempt is refunded on
    `refund_counters`. Return None, without any change, if the account may no longer log in, or if what was proved has
    changed since.
    """
    present = await tx.accounts.record_login(
        account.number, ip=origin.ip, now=now, password_version=judged_version, by=by
    )
    if present is None:
        return None
    session = _session(present, origin, minted, platform or origin.rules.dialect, now)
    rule = origin.rules.session_rule if origin.app.session_rule is SessionRule.DIALECT else origin.app.session_rule
    most = _MOST_PLATFORMS if rule is SessionRule.ONE_PER_PLATFORM else MAX_SESSIONS
    refresh = digest(minted.refresh) if minted.refresh else None
    other = await tx.sessions.end_by_token(origin.cookie, before_login_of=account.number) if origin.cookie else None
    ended = await tx.sessions.open(session, digest(minted.token), refresh, most=most, replaces=origin.presented)
    if origin.device.device_id:
        await tx.devices.remember(present.number, device_digest(origin.device.device_id), now)
    await tx.counters.clear(reset_counters, forgive=refund_counters)
    number = present.number
    events = [
        event_of(Tag.SESSION_ENDED, origin, now, account=owner, reason="newer_login", session_id=session_id)
        for session_id, owner in ((other,) if other else ()) + tuple((session_id, number) for session_id in ended)
    ]
    events.append(
        event_of(Tag.LOGIN_SUCCEEDED, origin, now, account=number, reason=method, session_id=session.session_id)
    )
    await tx.audit.append_all(events)
    return Granted(present, session, minted.token, keyring.csrf(session.session_id), minted.refresh)


def _session(account: Account, origin: Origin, minted: Minted, platform: str, now: Instant) -> Session:
    lifetimes, device = origin.rules.lifetimes, origin.device
    return Session(
        session_id=minted.session_id,
        account_number=account.number,
        app_id=origin.app.app_id,
        dialect=origin.rules.dialect,
        platform=canonical_platform(platform),
        slot=slot_of(origin.app, origin.rules.session_rule, platform, device.device_id),
        device_id=device.device_id,
        device_model=device.model,
        device_name=device.name,
        ip=origin.ip,
        created_at=now,
        seen_at=now,
        proved_at=now,
        expires_at=after(now, lifetimes.idle),
        ends_at=after(now, lifetimes.absolute),
        sliding_ms=lifetimes.idle if lifetimes.sliding else 0,
        refresh_expires_at=after(now, lifetimes.refresh) if lifetimes.refresh else NEVER,
    )
