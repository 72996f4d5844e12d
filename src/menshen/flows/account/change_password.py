"""Change a password by the old one, and prove identity by it. Counted exactly like a login."""

from __future__ import annotations

from menshen.core.account.asks import PasswordChange
from menshen.core.apps import CaptchaRule
from menshen.core.audit.events import Tag
from menshen.core.codes.messages import Template
from menshen.core.gates.risk import Signals, Verdict, assess
from menshen.core.keys import Keyring
from menshen.core.login.passwords import Blocklist, hashable
from menshen.core.outcomes import ActionOutcome, Done
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.flows.account.notices import notify
from menshen.flows.audit.recording import event_of
from menshen.flows.gates.concurrency import AttemptGate
from menshen.flows.gates.password_attempts import (
    PASSWORD_REFUSALS,
    count_try,
    is_known_device,
    judge_attempt,
    subject_of,
    try_keys,
)
from menshen.flows.gates.password_policy import WEAK_PASSWORD, judge_new_password, words_of
from menshen.flows.sessions.manage import end_all_sessions
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.hashing import PasswordHasher
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World


async def prove_password(
    password: str,
    caller: Authenticated,
    origin: Origin,
    *,
    store: Store,
    hasher: PasswordHasher,
    world: World,
    keyring: Keyring,
    policy: Policy,
    attempt_gate: AttemptGate,
) -> Denied | None:
    """Whether the caller knows their password; None when so.

    Denied: WRONG_CREDENTIALS, TOO_MANY_REQUESTS, PASSWORD_SUSPENDED.
    """
    account = caller.account
    known = await is_known_device(store, account, origin)
    keys = try_keys(keyring, subject_of(account, None, ""), origin, known_device=known)
    async with attempt_gate.turn(keys.near, keys.network):
        now = world.now()

        async def count(tx: WriteTx) -> Denied | None:
            # Whoever holds a session has been through the captcha's gate: here only the pauses apply.
            tries = await count_try(tx, keys, policy.limits, now)
            verdict = assess(Signals(tries), CaptchaRule.NEVER, policy.limits).verdict
            if verdict is Verdict.FREE:
                return None
            await tx.counters.forgive(keys.all)
            if verdict is Verdict.SUSPENDED:
                return Denied(ProblemCode.PASSWORD_SUSPENDED)
            return Denied(ProblemCode.TOO_MANY_REQUESTS, tries.near.retry_after(now))

        if refusal := await store.write(count):
            return refusal
        raw = hashable(password)
        verified = await judge_attempt(account.password_hash, raw, keys, hasher=hasher, store=store)
        right = verified.right and raw is not None

        async def note(tx: WriteTx) -> None:
            if right:
                await tx.counters.clear(keys.personal, forgive=[keys.network])
            else:
                await tx.audit.append(
                    event_of(Tag.LOGIN_FAILED, origin, now, account=account.number, reason="old_password")
                )

        await store.write(note)
        return None if right else Denied(ProblemCode.WRONG_CREDENTIALS)


@use_case(FlowKind.CHANGE, PASSWORD_REFUSALS | WEAK_PASSWORD)
async def change_password(
    ask: PasswordChange,
    caller: Authenticated,
    origin: Origin,
    *,
    store: Store,
    hasher: PasswordHasher,
    world: World,
    keyring: Keyring,
    policy: Policy,
    blocklist: Blocklist,
    attempt_gate: AttemptGate,
) -> ActionOutcome:
    """A new password; every other session ends (or every one), outstanding codes die, the owner is told.

    Denied: as `prove_password`, and WEAK_PASSWORD (before the old one is tried).
    """
    account = caller.account
    raw = judge_new_password(
        ask.password, origin.app, policy, blocklist, words_of(account), minimum=origin.password_min
    )
    if isinstance(raw, Denied):
        return raw
    if refusal := await prove_password(
        ask.old_password,
        caller,
        origin,
        store=store,
        hasher=hasher,
        world=world,
        keyring=keyring,
        policy=policy,
        attempt_gate=attempt_gate,
    ):
        return refusal
    made = await hasher.hash(raw)
    now = world.now()
    keep = caller.session.session_id if ask.keep_session else None

    async def work(tx: WriteTx) -> ActionOutcome:
        # Compare-and-set: whoever changed it in the meantime wins, and this caller's old password is no longer one.
        if not await tx.accounts.set_password(account.number, made, now=now, expected_version=account.password_version):
            return Denied(ProblemCode.WRONG_CREDENTIALS)
        await end_all_sessions(tx, account.number, origin, now, reason="password_changed", except_id=keep)
        for subject in account.proved:
            await tx.codes.drop(subject)
        await tx.audit.append(event_of(Tag.PASSWORD_CHANGED, origin, now, account=account.number))
        await notify(tx, account.main_contact, Template.PASSWORD_CHANGED, origin.language, now)
        return Done()

    return await store.write(work)
