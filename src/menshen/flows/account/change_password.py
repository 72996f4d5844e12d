"""Change the caller's password, and verify the old one as proof of identity. Attempts count exactly as at a login."""

from __future__ import annotations

from menshen.core.account.asks import PasswordChange
from menshen.core.account.security_links import SecurityAct
from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import Template
from menshen.core.factors.freshness import lacks_factor
from menshen.core.gates.members import PASSWORD_CHANGES
from menshen.core.keys import Keyring
from menshen.core.login.passwords import Blocklist
from menshen.core.outcomes import ActionOutcome, Done
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.flows.account.notices import notify
from menshen.flows.account.proving import prove_password
from menshen.flows.audit.recording import event_of
from menshen.flows.gates.concurrency import AttemptGate
from menshen.flows.gates.holding import hold_caller
from menshen.flows.gates.member_quotas import charge_member
from menshen.flows.gates.password_attempts import PASSWORD_REFUSALS
from menshen.flows.gates.password_policy import WEAK_PASSWORD, judge_new_password, words_of
from menshen.flows.sessions.manage import end_all_sessions
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.hashing import PasswordHasher
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World


@use_case(
    FlowKind.CHANGE,
    PASSWORD_REFUSALS | WEAK_PASSWORD | {ProblemCode.PROOF_REQUIRED, ProblemCode.UNAUTHENTICATED},
    quota=PASSWORD_CHANGES,
)
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
    """Set a new password, delete the account's codes, and notify the owner. All other sessions end.

    Without `keep_session` the caller's session ends, too.
    Denied: as `prove_password`, WEAK_PASSWORD (checked before the old password), and before both PROOF_REQUIRED: an
    account with a second step needs a factor of the last 10 minutes, too. (docs/contracts/factors.md section 8.)

    Raises:
        Problem: UNAUTHENTICATED, if the caller's session ended meanwhile.
    """
    account = caller.account
    if lacks_factor(account, caller.session, origin.app, world.now()):
        return Denied(ProblemCode.PROOF_REQUIRED)
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
    now = world.now()

    async def charge(tx: WriteTx) -> Denied | None:
        # Each change sends a notice, and costs a hash.
        return await charge_member(tx, PASSWORD_CHANGES, caller, keyring=keyring, policy=policy, now=now)

    if refusal := await store.write(charge):
        return refusal
    made = await hasher.hash(raw)
    keep = caller.session.session_id if ask.keep_session else None

    async def work(tx: WriteTx) -> ActionOutcome:
        held = await tx.accounts.hold(account.number)
        if held is not None and lacks_factor(held, caller.session, origin.app, now):
            return Denied(ProblemCode.PROOF_REQUIRED)
        # Compare-and-set: if the password was changed meanwhile, the caller's old password is no longer valid.
        if not await tx.accounts.set_password(account.number, made, now=now, expected_version=account.password_version):
            return Denied(ProblemCode.WRONG_CREDENTIALS)
        present = await hold_caller(tx, caller)
        await end_all_sessions(tx, present.number, origin, now, reason="password_changed", except_id=keep)
        for subject in present.proved:
            await tx.codes.drop(subject)
        await tx.audit.append(event_of(Tag.PASSWORD_CHANGED, origin, now, account=present.number))
        await notify(
            tx,
            present.main_contact,
            Template.PASSWORD_CHANGED,
            now,
            origin=origin,
            keyring=keyring,
            policy=policy,
            act=SecurityAct(present.number, caller.session.session_id),
        )
        return Done()

    return await store.write(work)
