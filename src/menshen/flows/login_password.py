"""Log in with username, phone or email and a password.

Every refusal of credentials costs one hash and looks the same: unknown account, disabled account, no
password, wrong password. The try is counted, durably, before the password is looked at.
"""

from __future__ import annotations

from menshen.core.accounts import Account
from menshen.core.captcha import Action
from menshen.core.events import Tag
from menshen.core.identifiers import classify
from menshen.core.keys import Keyring
from menshen.core.limits import Hit
from menshen.core.login import Granted, LoginOutcome, Origin, PasswordLogin
from menshen.core.passwords import hashable
from menshen.core.policy import Policy
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.risk import MANY_ACCOUNTS, Assessment, PasswordTries, Verdict, assess
from menshen.core.time import Instant
from menshen.flows.captcha import ASKS_FOR_CAPTCHA, burn, note_captcha_asked
from menshen.flows.finish_login import Minted, finish_login, mint
from menshen.flows.password_tries import TryKeys, count_try, is_known_device, judge, subject_of, try_keys
from menshen.flows.recording import append_refusal, event_of
from menshen.flows.risk_signals import Habits, habits_of, signals_of, strangers_key
from menshen.flows.turnstile import Turnstile
from menshen.ports.captcha import CaptchaProvider
from menshen.ports.hashing import PasswordHasher
from menshen.ports.store import Store, WriteTx
from menshen.ports.world import World


async def login_password(
    ask: PasswordLogin,
    origin: Origin,
    *,
    store: Store,
    hasher: PasswordHasher,
    captcha: CaptchaProvider,
    world: World,
    keyring: Keyring,
    policy: Policy,
    turnstile: Turnstile,
) -> LoginOutcome:
    """Granted with a durable session, or Denied.

    WRONG_CREDENTIALS, CAPTCHA_REQUIRED, CAPTCHA_INVALID, CAPTCHA_EXPIRED, TOO_MANY_REQUESTS, PASSWORD_SUSPENDED.
    (contracts/core.md sections 2 and 4.)
    """
    identifier = classify(ask.login_id)
    account = await store.read.accounts.find_owner(identifier) if identifier else None
    known = await is_known_device(store, account, origin)
    subject = subject_of(account, identifier, ask.login_id)
    keys = try_keys(keyring, subject, origin, known_device=known)
    async with turnstile.turn(keys.near, keys.network):
        now = world.now()
        habits = habits_of(account, subject, origin, known_device=known, keyring=keyring, limits=policy.limits, now=now)
        refusal, assessment, tries = await _face_limits(
            ask, account, habits, origin, keys=keys, store=store, keyring=keyring, policy=policy, now=now
        )
        if refusal:
            if refusal.code not in ASKS_FOR_CAPTCHA:
                return refusal
            challenge = captcha.challenge(
                app_id=origin.app.app_id, network=origin.network, difficulty=assessment.difficulty, now=now
            )
            return Denied(refusal.code, challenge=challenge.as_json())
        password = hashable(ask.password)
        verified = await judge(account.password_hash if account else "", password, keys, hasher=hasher, store=store)
        if account and password and verified.right and account.active:
            fresh_hash = await _hash_anew(password, hasher) if verified.outdated else ""
            granted = await _grant(
                account,
                origin,
                ask.platform,
                keys=keys,
                fresh_hash=fresh_hash,
                minted=mint(world, origin.house),
                store=store,
                keyring=keyring,
                now=now,
            )
            if granted:
                return granted
        await _note_failure(ask, account, origin, tries=tries, store=store, keyring=keyring, policy=policy, now=now)
        return Denied(ProblemCode.WRONG_CREDENTIALS)


async def _hash_anew(password: bytes, hasher: PasswordHasher) -> str:
    """A hash of today's parameters, "" when it cannot be had now: the next login will do. (design/security.md PW-3.)"""
    try:
        return await hasher.hash(password)
    except Problem:
        return ""


async def _face_limits(
    ask: PasswordLogin,
    account: Account | None,
    habits: Habits,
    origin: Origin,
    *,
    keys: TryKeys,
    store: Store,
    keyring: Keyring,
    policy: Policy,
    now: Instant,
) -> tuple[Denied | None, Assessment, PasswordTries]:
    """Count the try, and say why it may not be judged, if so. One transaction."""

    async def work(tx: WriteTx) -> tuple[Denied | None, Assessment, PasswordTries]:
        tries = await count_try(tx, keys, policy.limits, now, somebody=account is not None)
        signals = await signals_of(tx.counters, tries, habits, origin, keyring=keyring, policy=policy, now=now)
        assessment = assess(signals, origin.app.captcha, policy.limits)
        refusal: Denied | None = None
        match assessment.verdict:
            case Verdict.SUSPENDED:
                refusal = Denied(ProblemCode.PASSWORD_SUSPENDED)
            case Verdict.PAUSED:
                refusal = Denied(ProblemCode.TOO_MANY_REQUESTS, tries.near.retry_after(now))
            case Verdict.CAPTCHA:
                refusal = await burn(
                    tx, ask.captcha, Action.LOGIN_PASSWORD, origin, keyring, now, difficulty=assessment.difficulty
                )
            case Verdict.FREE:
                pass
        if refusal:
            # What was not judged is no failure; the pause and the suspension stand on their own counts.
            await tx.counters.forgive(keys.all)
            if refusal.code in ASKS_FOR_CAPTCHA:
                await note_captcha_asked(tx, origin, keyring, policy.limits, now)
            number = account.number if account else None
            event = event_of(
                Tag.LOGIN_REFUSED, origin, now, account=number, subject=ask.login_id, reason=refusal.code.value
            )
            await append_refusal(tx, event, origin, keyring)
        return refusal, assessment, tries

    return await store.write(work)


async def _grant(
    account: Account,
    origin: Origin,
    platform: str,
    *,
    keys: TryKeys,
    fresh_hash: str,
    minted: Minted,
    store: Store,
    keyring: Keyring,
    now: Instant,
) -> Granted | None:
    async def work(tx: WriteTx) -> Granted | None:
        granted = await finish_login(
            tx,
            account,
            origin,
            minted,
            keyring=keyring,
            now=now,
            method="password",
            platform=platform,
            judged_version=account.password_version,
            lifts=keys.personal,
            forgives=[keys.network],
        )
        # Compare-and-set: a password changed meanwhile wins over the upgrade of the old one.
        if granted and fresh_hash and await tx.accounts.replace_hash(account.number, account.password_hash, fresh_hash):
            await tx.audit.append(event_of(Tag.PASSWORD_REHASHED, origin, now, account=account.number))
        return granted

    return await store.write(work)


async def _note_failure(
    ask: PasswordLogin,
    account: Account | None,
    origin: Origin,
    *,
    tries: PasswordTries,
    store: Store,
    keyring: Keyring,
    policy: Policy,
    now: Instant,
) -> None:
    number, limits = account.number if account else None, policy.limits

    async def work(tx: WriteTx) -> None:
        if tries.near.tries == 1:
            await tx.counters.hit([Hit(strangers_key(keyring, origin), limits.network_window, MANY_ACCOUNTS)], now)
        await tx.audit.append(event_of(Tag.LOGIN_FAILED, origin, now, account=number, subject=ask.login_id))
        if tries.account.tries == limits.suspend_after:
            await tx.audit.append(event_of(Tag.PASSWORD_SUSPENDED, origin, now, account=number, subject=ask.login_id))

    await store.write(work)
