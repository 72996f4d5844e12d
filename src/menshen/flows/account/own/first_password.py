"""Set the first password of an account that has none, by a fresh proof of another kind. (decision 0080.)"""

from __future__ import annotations

from menshen.core.account.accounts import Account
from menshen.core.account.security_links import SecurityAct
from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import Template
from menshen.core.gates.members import PASSWORD_CHANGES
from menshen.core.keys import Keyring
from menshen.core.login.passwords import Blocklist
from menshen.core.outcomes import ActionOutcome, Done
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.time import Instant
from menshen.flows.account.notices import notify
from menshen.flows.audit.recording import event_of
from menshen.flows.gates.holding import hold_to_change
from menshen.flows.gates.member_quotas import charge_member
from menshen.flows.gates.password_policy import WEAK_PASSWORD, judge_new_password, words_of
from menshen.flows.sessions.manage import end_all_sessions
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.hashing import PasswordHasher
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World

_FIRST = "first"


@use_case(
    FlowKind.CHANGE,
    WEAK_PASSWORD
    | {ProblemCode.PROOF_REQUIRED, ProblemCode.FORBIDDEN, ProblemCode.UNAUTHENTICATED, ProblemCode.OVERLOADED},
    quota=PASSWORD_CHANGES,
)
async def set_password(
    password: str,
    caller: Authenticated,
    origin: Origin,
    *,
    store: Store,
    hasher: PasswordHasher,
    world: World,
    keyring: Keyring,
    policy: Policy,
    blocklist: Blocklist,
) -> ActionOutcome:
    """Give the caller's account its first password, delete its codes, and notify each proved contact.

    All other sessions end. Denied: PROOF_REQUIRED (no proof of identity in the last 10 minutes, by a factor where any
    app asks for two), FORBIDDEN (it has a password: `change_password` changes it), WEAK_PASSWORD, TOO_MANY_REQUESTS.
    (docs/contracts/factors.md section 8.)

    Raises:
        Problem: UNAUTHENTICATED, if the caller's session ended meanwhile.
    """
    now = world.now()

    async def admit(tx: WriteTx) -> tuple[int, bytes] | Denied:
        account = await _hold(tx, caller, origin, now)
        if isinstance(account, Denied):
            return account
        words = words_of(account)
        raw = judge_new_password(password, origin.app, policy, blocklist, words, minimum=origin.password_min)
        if isinstance(raw, Denied):
            return raw
        # Each first password sends notices, and costs a hash.
        refusal = await charge_member(tx, PASSWORD_CHANGES, caller, keyring=keyring, policy=policy, now=now)
        return refusal or (account.password_version, raw)

    admitted = await store.write(admit)
    if isinstance(admitted, Denied):
        return admitted
    version, raw = admitted
    made = await hasher.hash(raw)

    async def work(tx: WriteTx) -> ActionOutcome:
        account = await _hold(tx, caller, origin, now)
        if isinstance(account, Denied):
            return account
        # Compare-and-set: of two at once, the second finds a password.
        if not await tx.accounts.set_password(account.number, made, now=now, expected_version=version):
            return Denied(ProblemCode.FORBIDDEN)
        keep = caller.session.session_id
        await end_all_sessions(tx, account.number, origin, now, reason="password_changed", except_id=keep)
        for subject in account.proved:
            await tx.codes.drop(subject)
        await tx.audit.append(
            event_of(Tag.PASSWORD_CHANGED, origin, now, account=account.number, reason=_FIRST, session_id=keep)
        )
        await notify(
            tx,
            account.proved,
            Template.PASSWORD_CHANGED,
            now,
            origin=origin,
            keyring=keyring,
            policy=policy,
            act=SecurityAct(account.number, keep),
        )
        return Done()

    return await store.write(work)


async def _hold(tx: WriteTx, caller: Authenticated, origin: Origin, now: Instant) -> Account | Denied:
    """Lock the caller, with a fresh proof and without a password."""
    account = await hold_to_change(tx, caller, origin, now)
    if isinstance(account, Denied):
        return account
    return Denied(ProblemCode.FORBIDDEN) if account.password_hash else account
