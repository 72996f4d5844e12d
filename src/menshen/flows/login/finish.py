"""Open a session after the proof of identity, or ask for a second step. No other code does either.

All ways to log in use this. It decides behind the lock of the account's row. (docs/contracts/factors.md section 2.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from menshen.core.account.accounts import Account
from menshen.core.apps import SessionRule
from menshen.core.audit.events import Tag
from menshen.core.codes.one_time_codes import CodeKey
from menshen.core.factors.proofs import Due, Proof, due
from menshen.core.identifiers import Identifier
from menshen.core.keys import Keyring
from menshen.core.login.outcomes import Granted, LoginOutcome
from menshen.core.policy import Policy
from menshen.core.rules import DialectRules, Origin
from menshen.core.sessions.sessions import MAX_SESSIONS, Session, canonical_platform, slot_of
from menshen.core.time import NEVER, Instant, after
from menshen.core.tokens import TOKEN_BYTES, base32, digest, spell
from menshen.flows.account.own.taking_back import take_back_closing
from menshen.flows.audit.recording import event_of
from menshen.flows.gates.holding import has_factor
from menshen.flows.gates.known_origin import device_digest
from menshen.flows.login.steps import NO_TRUST, ask_for_step, note_grace, use_trust
from menshen.ports.store.store import WriteTx
from menshen.ports.world import World

_MOST_PLATFORMS = 100
"""Most sessions of an account, one for each platform. Clients choose the names, and could fill the table."""


@dataclass(frozen=True, slots=True)
class Minted:
    """Hold new secrets for one session. They are drawn before the transaction, because it may run twice.

    `token` is that of the session, or the ticket of a pending login where no session opens. `trust` is the next token
    of a trusted device, drawn only where the request has one.
    """

    session_id: str
    token: str = field(repr=False)
    refresh: str = field(repr=False)
    trust: str = field(default="", repr=False)


def mint(world: World, rules: DialectRules, *, trusts: bool = False) -> Minted:
    """Draw a session id and tokens in the dialect's alphabet. `refresh` is "" if the dialect issues none.

    With `trusts`, a token of a trusted device is drawn, too.
    """
    refresh = spell(world.token_bytes(TOKEN_BYTES), rules.style) if rules.lifetimes.refresh else ""
    trust = base32(world.token_bytes(TOKEN_BYTES)) if trusts else ""
    token = spell(world.token_bytes(TOKEN_BYTES), rules.style)
    return Minted(base32(world.token_bytes(TOKEN_BYTES)), token, refresh, trust)


async def finish_login(  # noqa: PLR0913 - every way to log in says all of it, by name
    tx: WriteTx,
    account: Account,
    origin: Origin,
    minted: Minted,
    *,
    keyring: Keyring,
    policy: Policy,
    now: Instant,
    method: str,
    proof: Proof,
    began: str = "",
    platform: str = "",
    judged_version: int | None = None,
    by: Identifier | CodeKey | None = None,
    counted: Sequence[bytes] = (),
    reset_counters: Sequence[bytes] = (),
    refund_counters: Sequence[bytes] = (),
) -> LoginOutcome | None:
    """Open the session or write a pending login, with all data that depends on it, in the caller's transaction.

    `method` is the reason in the audit trail, and `began` that of the first proof where it was an earlier one. `proof`
    says what was proved. `judged_version` is the password version that was verified. `by` is the identifier that was
    typed, or the code that was spent at `now` (then the account is held). A login clears `reset_counters`, and refunds
    this attempt on `refund_counters`. In the days of grace before a deletion it takes the closing back. Where a second
    step is due, the attempt is refunded on `counted`, and nothing else of a login happens.

    Return None, without any change, if the account may no longer log in, or if what was proved has changed since.
    Denied: TOO_MANY_REQUESTS, if unknown devices opened too many pending logins of the account.
    """

    async def record(judged: Account) -> Account | None:
        return await tx.accounts.record_login(
            judged.number, ip=origin.ip, now=now, password_version=judged_version, by=by, judged=judged
        )

    wants, trust = due(account, origin.app, proof, now), NO_TRUST
    present = await record(account) if wants is Due.NOTHING else None
    if present is None:
        # A step is due, or a notice is, or the account is not what it was when it was read.
        held = await _hold(tx, account, judged_version, by)
        if held is None:
            return None
        wants = due(held, origin.app, proof, now)
        if wants is Due.NOTICE and await has_factor(tx, held.number):
            # The days of grace are for who has none yet.
            wants = Due.STEP
        if wants is Due.STEP:
            trust = await use_trust(tx, held, origin, proof, minted.trust, now)
            if not trust.token:
                return await ask_for_step(
                    tx, held, origin, minted.token, proof, keyring=keyring, policy=policy, now=now,
                    began=began or method, platform=platform or origin.rules.dialect, counted=counted,
                )  # fmt: skip
            proof = proof.trusting()
        present = await record(held)
        if present is None:
            return None
    if present.closes_at:
        present = await take_back_closing(tx, present, origin, now, keyring=keyring, policy=policy)
    if wants is Due.NOTICE:
        await note_grace(tx, present, origin, now, keyring=keyring, policy=policy)
    session = _session(present, origin, minted, platform or origin.rules.dialect, proof, now)
    await _open(tx, session, origin, minted, now, method=method)
    await tx.counters.clear(reset_counters, forgive=refund_counters)
    return Granted(
        present,
        session,
        minted.token,
        keyring.csrf(session.session_id),
        minted.refresh,
        began=began or method,
        trust=trust.token,
        trust_until=trust.until,
    )


async def _hold(
    tx: WriteTx, account: Account, judged_version: int | None, by: Identifier | CodeKey | None
) -> Account | None:
    """Lock the account, and return it behind the lock if `record_login` would take what was proved."""
    held = await tx.accounts.hold(account.number) if account.active else None
    if held is None or not held.active:
        return None
    if isinstance(by, CodeKey):
        return held if await tx.codes.stands(by) else None
    if judged_version is not None and held.password_version != judged_version:
        return None
    return held if by is None or held.owns(by) else None


async def _open(tx: WriteTx, session: Session, origin: Origin, minted: Minted, now: Instant, *, method: str) -> None:
    """Store the session, end its rivals, and append the events."""
    number = session.account_number
    rule = origin.rules.session_rule if origin.app.session_rule is SessionRule.DIALECT else origin.app.session_rule
    most = _MOST_PLATFORMS if rule is SessionRule.ONE_PER_PLATFORM else MAX_SESSIONS
    refresh = digest(minted.refresh) if minted.refresh else None
    other = await tx.sessions.end_by_token(origin.cookie, before_login_of=number) if origin.cookie else None
    ended = await tx.sessions.open(session, digest(minted.token), refresh, most=most, replaces=origin.presented)
    if origin.device.device_id:
        await tx.devices.remember(number, device_digest(origin.device.device_id), now)
    events = [
        event_of(Tag.SESSION_ENDED, origin, now, account=owner, reason="newer_login", session_id=session_id)
        for session_id, owner in ((other,) if other else ()) + tuple((session_id, number) for session_id in ended)
    ]
    events.append(
        event_of(Tag.LOGIN_SUCCEEDED, origin, now, account=number, reason=method, session_id=session.session_id)
    )
    await tx.audit.append_all(events)


def _session(account: Account, origin: Origin, minted: Minted, platform: str, proof: Proof, now: Instant) -> Session:
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
        level=proof.level,
        methods=str(proof),
        second_at=now if proof.level > 1 else NEVER,
    )
