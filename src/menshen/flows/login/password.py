"""Log in with username, phone or email and a password.

Every refusal of credentials costs one hash, takes the same time, and looks the same: unknown account, disabled account,
no password, wrong password. The attempt is counted durably before the password is checked.
"""

from __future__ import annotations

from dataclasses import dataclass

from menshen.core.account.accounts import Account
from menshen.core.audit.events import Tag
from menshen.core.factors.proofs import BY_PASSWORD
from menshen.core.gates.captcha import Action
from menshen.core.gates.limits import Hit
from menshen.core.gates.risk import MANY_ACCOUNTS, Assessment, PasswordTries, Signals, Verdict, assess
from menshen.core.identifiers import Identifier, classify
from menshen.core.keys import Keyring
from menshen.core.login.asks import PasswordLogin
from menshen.core.login.outcomes import LoginOutcome
from menshen.core.login.passwords import hashable
from menshen.core.policy import Policy
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import Instant
from menshen.flows.audit.recording import append_refusal, event_of
from menshen.flows.gates.captcha import ASKS_FOR_CAPTCHA, CAPTCHA_REFUSALS, burn, note_captcha_asked
from menshen.flows.gates.captcha_vendors import CaptchaVendors, with_challenge
from menshen.flows.gates.concurrency import AttemptGate
from menshen.flows.gates.device_signs import SIGN_REFUSALS, spend_sign
from menshen.flows.gates.equal_time import EqualTime
from menshen.flows.gates.known_origin import is_known_device
from menshen.flows.gates.password_attempts import (
    PASSWORD_REFUSALS,
    TryKeys,
    count_try,
    judge_attempt,
    note_failed_try,
    subject_of,
    try_keys,
)
from menshen.flows.gates.risk_signals import signals_of, strangers_key
from menshen.flows.login.finish import Minted, finish_login, mint
from menshen.flows.login.second_step import take_second_code
from menshen.flows.proofs.judging import Judges
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.captcha import CaptchaProvider
from menshen.ports.hashing import PasswordHasher
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World

UNREADABLE_HASH = "unreadable_hash"
"""Reason of a failure that any password would cause: the stored hash is damaged, or comes from another program."""


@use_case(FlowKind.ROUTING)
def crowded(_dialect: str, *, hasher: PasswordHasher) -> bool:
    """Return whether the hash queue is full, so that no password can be verified now. Nothing else is read."""
    return hasher.full


@use_case(
    FlowKind.LOGIN,
    CAPTCHA_REFUSALS | SIGN_REFUSALS | PASSWORD_REFUSALS,
    method="password",
    deny_list=True,
    device_rule=True,
)
async def login_password(
    ask: PasswordLogin,
    origin: Origin,
    *,
    store: Store,
    hasher: PasswordHasher,
    captcha: CaptchaProvider,
    captcha_vendors: CaptchaVendors,
    world: World,
    keyring: Keyring,
    policy: Policy,
    attempt_gate: AttemptGate,
    judges: Judges,
) -> LoginOutcome:
    """Verify the password, and a second code only after a right one. Return Granted with a durable session, or Denied.

    StepNeeded: a second step is due. Denied: WRONG_CREDENTIALS, CAPTCHA_REQUIRED, CAPTCHA_INVALID, CAPTCHA_EXPIRED,
    TOO_MANY_REQUESTS, PASSWORD_SUSPENDED, DEVICE_SIGN_INVALID (spent before).
    (docs/contracts/core.md sections 2 and 4, docs/contracts/factors.md section 2.)
    """
    outcome = await _login(
        ask, origin, store=store, hasher=hasher, captcha=captcha, captcha_vendors=captcha_vendors, world=world,
        keyring=keyring, policy=policy, attempt_gate=attempt_gate,
    )  # fmt: skip
    return await take_second_code(outcome, ask.second_code, origin, store=store, world=world, judges=judges)


async def _login(
    ask: PasswordLogin,
    origin: Origin,
    *,
    store: Store,
    hasher: PasswordHasher,
    captcha: CaptchaProvider,
    captcha_vendors: CaptchaVendors,
    world: World,
    keyring: Keyring,
    policy: Policy,
    attempt_gate: AttemptGate,
) -> LoginOutcome:
    """Verify the password, and answer as `login_password` does."""
    if hasher.full:
        # Checked before any read: under overload a refusal must cost almost nothing.
        raise Problem(ProblemCode.OVERLOADED, "hash queue full", 1)
    identifier = classify(ask.login_id)
    account = await store.read.accounts.find_owner(identifier) if identifier else None
    known = await is_known_device(store.read.devices, account, origin)
    keys = try_keys(keyring, subject_of(account, identifier, ask.login_id), origin, account=account, known_device=known)
    # The place in the queue comes last: an attempt that waits for its turn at one account must not hold one.
    async with EqualTime(world) as pause, attempt_gate.turn(keys.near[-1], keys.network[-1]), hasher.place():
        now = world.now()
        attempt = _Attempt(ask, identifier, account, origin, keys, known, now)
        refusal, before = await _check_limits(attempt, store=store, keyring=keyring, policy=policy)
        if refusal is None:
            password = hashable(ask.password)
            tries = before.signals.tries
            verified = await judge_attempt(
                account.password_hash if account else "", password, keys, tries, hasher=hasher, store=store
            )
            if account and password and verified.right and account.active:
                refusal = await _check_account_signals(attempt, before, store=store, keyring=keyring, policy=policy)
                if refusal is None:
                    fresh_hash = await _hash_anew(password, hasher) if verified.outdated else ""
                    minted = mint(world, origin.rules, trusts=origin.step.trust != "")
                    outcome = await _grant(
                        attempt, account, tries, fresh_hash=fresh_hash, minted=minted, store=store, keyring=keyring,
                        policy=policy,
                    )  # fmt: skip
                    if outcome:
                        return outcome
            if refusal is None:
                pause.owe(verified.short_ms)
                why = "" if verified.readable else UNREADABLE_HASH
                await _note_failure(attempt, tries, why, store=store, keyring=keyring, policy=policy)
                return Denied(ProblemCode.WRONG_CREDENTIALS)
        if refusal.code not in ASKS_FOR_CAPTCHA:
            return refusal
        return with_challenge(
            refusal,
            ask.captcha,
            origin,
            difficulty=before.assessment.difficulty,
            captcha=captcha,
            captcha_vendors=captcha_vendors,
            now=now,
        )


@dataclass(frozen=True, slots=True)
class _Attempt:
    """Hold the data of one password login in progress."""

    ask: PasswordLogin
    identifier: Identifier | None
    account: Account | None
    origin: Origin
    keys: TryKeys
    known_device: bool
    now: Instant


@dataclass(frozen=True, slots=True)
class _Judged:
    """Hold the signals and their assessment from before the password check."""

    signals: Signals
    assessment: Assessment


async def _hash_anew(password: bytes, hasher: PasswordHasher) -> str:
    """Hash with the current parameters. Return "" if this is not possible now. (docs/security/attacks.md PW-3.)"""
    try:
        return await hasher.hash(password)
    except Problem:
        return ""


async def _check_limits(
    attempt: _Attempt, *, store: Store, keyring: Keyring, policy: Policy
) -> tuple[Denied | None, _Judged]:
    """Count the attempt, and return a refusal if the password may not be checked. All in one transaction."""
    origin, now = attempt.origin, attempt.now

    async def work(tx: WriteTx) -> tuple[Denied | None, _Judged]:
        tries = await count_try(tx, attempt.keys, policy.limits, now, somebody=attempt.account is not None)
        signals = await signals_of(
            tx.counters,
            tries,
            attempt.account,
            origin,
            known_device=attempt.known_device,
            keyring=keyring,
            policy=policy,
            now=now,
        )
        assessment = assess(signals, origin.app.captcha, policy.limits)
        refusal: Denied | None = None
        match assessment.verdict:
            case Verdict.SUSPENDED:
                refusal = Denied(ProblemCode.PASSWORD_SUSPENDED)
            case Verdict.PAUSED:
                refusal = Denied(ProblemCode.TOO_MANY_REQUESTS, tries.near.retry_after(now))
            case Verdict.CAPTCHA:
                refusal = await _burn(tx, attempt, keyring, assessment)
            case Verdict.FREE:
                pass
        refusal = refusal or await spend_sign(tx, origin)
        if refusal:
            await _take_back(tx, attempt, tries, refusal, keyring, policy)
        return refusal, _Judged(signals, assessment)

    return await store.write(work)


async def _check_account_signals(
    attempt: _Attempt, before: _Judged, *, store: Store, keyring: Keyring, policy: Policy
) -> Denied | None:
    """Require a captcha after a correct password, if only the account's own history calls for one."""
    after_proof = assess(before.signals, attempt.origin.app.captcha, policy.limits, proved=True)
    if before.assessment.verdict is Verdict.CAPTCHA or after_proof.verdict is not Verdict.CAPTCHA:
        return None

    async def work(tx: WriteTx) -> Denied | None:
        refusal = await _burn(tx, attempt, keyring, after_proof)
        if refusal:
            await _take_back(tx, attempt, before.signals.tries, refusal, keyring, policy)
        return refusal

    return await store.write(work)


async def _burn(tx: WriteTx, attempt: _Attempt, keyring: Keyring, assessment: Assessment) -> Denied | None:
    return await burn(
        tx,
        attempt.ask.captcha,
        Action.LOGIN_PASSWORD,
        attempt.origin,
        keyring,
        attempt.now,
        difficulty=assessment.difficulty,
    )


async def _take_back(
    tx: WriteTx, attempt: _Attempt, tries: PasswordTries, refusal: Denied, keyring: Keyring, policy: Policy
) -> None:
    """Refund an attempt that was not checked, and audit the refusal.

    A pause or suspension stays in force, because the counts of earlier attempts remain.
    """
    await tx.counters.forgive(attempt.keys.counted(tries))
    if refusal.code in ASKS_FOR_CAPTCHA:
        await note_captcha_asked(tx, attempt.origin, keyring, policy.limits, attempt.now)
    number = attempt.account.number if attempt.account else None
    event = event_of(
        Tag.LOGIN_REFUSED,
        attempt.origin,
        attempt.now,
        account=number,
        subject=attempt.ask.login_id,
        reason=refusal.code.value,
    )
    await append_refusal(tx, event, attempt.origin, keyring)


async def _grant(
    attempt: _Attempt,
    account: Account,
    tries: PasswordTries,
    *,
    fresh_hash: str,
    minted: Minted,
    store: Store,
    keyring: Keyring,
    policy: Policy,
) -> LoginOutcome | None:
    origin, now = attempt.origin, attempt.now

    async def work(tx: WriteTx) -> LoginOutcome | None:
        outcome = await finish_login(
            tx,
            account,
            origin,
            minted,
            keyring=keyring,
            policy=policy,
            now=now,
            method="password",
            proof=BY_PASSWORD,
            platform=attempt.ask.platform,
            judged_version=account.password_version,
            by=attempt.identifier,
            counted=attempt.keys.counted(tries),
            reset_counters=attempt.keys.personal,
            refund_counters=attempt.keys.network,
        )
        # Compare-and-set: the new hash of the old password must not overwrite a password that was changed meanwhile.
        if outcome and fresh_hash and await tx.accounts.replace_hash(account.number, account.password_hash, fresh_hash):
            await tx.audit.append(event_of(Tag.PASSWORD_REHASHED, origin, now, account=account.number))
        return outcome

    return await store.write(work)


async def _note_failure(
    attempt: _Attempt, tries: PasswordTries, why: str, *, store: Store, keyring: Keyring, policy: Policy
) -> None:
    origin, now, limits = attempt.origin, attempt.now, policy.limits
    number, subject = attempt.account.number if attempt.account else None, attempt.ask.login_id

    async def work(tx: WriteTx) -> None:
        if tries.near.tries == 1:
            await tx.counters.hit([Hit(strangers_key(keyring, origin), limits.network_window, MANY_ACCOUNTS)], now)
        failed = event_of(Tag.LOGIN_FAILED, origin, now, account=number, subject=subject, reason=why)
        await note_failed_try(tx, failed, tries, limits)

    await store.write(work)
