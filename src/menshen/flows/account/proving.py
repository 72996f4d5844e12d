"""Prove the caller's identity again before a private change: by the password, or by a code to a proved subject.

Attempts count exactly as at a login, and before they are judged.
"""

from __future__ import annotations

from menshen.core.account.accounts import Account
from menshen.core.apps import CaptchaRule
from menshen.core.audit.events import Tag
from menshen.core.codes.one_time_codes import CodeKey, Purpose
from menshen.core.gates.risk import PasswordTries, Signals, Verdict, assess
from menshen.core.keys import Keyring
from menshen.core.login.passwords import hashable
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.time import Instant
from menshen.flows.audit.recording import event_of
from menshen.flows.codes.attempts import code_key, try_code
from menshen.flows.gates.concurrency import AttemptGate
from menshen.flows.gates.holding import hold_caller
from menshen.flows.gates.known_origin import is_known_device
from menshen.flows.gates.password_attempts import count_try, judge_attempt, note_failed_try, subject_of, try_keys
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
    """Verify the caller's password. Return None if it is correct.

    Denied: WRONG_CREDENTIALS, TOO_MANY_REQUESTS, PASSWORD_SUSPENDED.
    """
    account = caller.account
    known = await is_known_device(store.read.devices, account, origin)
    keys = try_keys(keyring, subject_of(account, None, ""), origin, account=account, known_device=known)
    async with attempt_gate.turn(keys.near[-1], keys.network[-1]):
        now = world.now()

        async def count(tx: WriteTx) -> tuple[Denied | None, PasswordTries]:
            # A caller with a session has passed the captcha before: only the pauses and suspensions of this network
            # apply here. Strangers elsewhere have no session.
            tries = await count_try(tx, keys, policy.limits, now)
            signals = Signals(tries, vouched=True, known_device=known)
            verdict = assess(signals, CaptchaRule.NEVER, policy.limits).verdict
            if verdict is Verdict.FREE:
                return None, tries
            await tx.counters.forgive(keys.counted(tries))
            if verdict is Verdict.SUSPENDED:
                return Denied(ProblemCode.PASSWORD_SUSPENDED), tries
            return Denied(ProblemCode.TOO_MANY_REQUESTS, tries.near.retry_after(now)), tries

        refusal, tries = await store.write(count)
        if refusal:
            return refusal
        raw = hashable(password)
        verified = await judge_attempt(account.password_hash, raw, keys, tries, hasher=hasher, store=store)
        right = verified.right and raw is not None

        async def note(tx: WriteTx) -> None:
            if right:
                await tx.counters.clear(keys.personal, forgive=keys.network)
            else:
                failed = event_of(Tag.LOGIN_FAILED, origin, now, account=account.number, reason="old_password")
                await note_failed_try(tx, failed, tries, policy.limits)

        await store.write(note)
        return None if right else Denied(ProblemCode.WRONG_CREDENTIALS)


async def hold_proved(tx: WriteTx, caller: Authenticated, *, by_password: bool) -> Account | Denied:
    """Lock the caller as `hold_caller` does. Denied: WRONG_CREDENTIALS, if the proved password changed meanwhile.

    Raises:
        Problem: UNAUTHENTICATED, if the session ended meanwhile.
    """
    present = await hold_caller(tx, caller)
    if by_password and present.password_version != caller.account.password_version:
        return Denied(ProblemCode.WRONG_CREDENTIALS)
    return present


async def spend_proof_code(
    tx: WriteTx, account: Account, code: str, origin: Origin, *, keyring: Keyring, policy: Policy, now: Instant
) -> CodeKey | Denied:
    """Spend a code of purpose PROOF that was sent to a proved phone or email of `account`. Return its key.

    Denied: WRONG_CODE, TOO_MANY_REQUESTS; PROOF_REQUIRED if nothing of the account is proved.
    """
    keys = [code_key(origin, Purpose.PROOF, subject) for subject in account.proved]
    # The code does not show whether it was sent to the phone or to the mailbox. A right code of one must not count as
    # a wrong one of the other, so those are tried that have a code. Without any, the try counts against the first.
    likely = [key for key in keys if await _has_code(tx, key, policy, now)] or keys[:1]
    refused = Denied(ProblemCode.PROOF_REQUIRED)
    for key in likely:
        refusal = await try_code(tx, key, code, origin, keyring=keyring, policy=policy, now=now)
        if refusal is None:
            return key
        refused = refusal
    return refused


async def _has_code(tx: WriteTx, key: CodeKey, policy: Policy, now: Instant) -> bool:
    sent = await tx.codes.find(key, now)
    return policy.test_number(key.subject, now) is not None or (sent is not None and sent.open)
