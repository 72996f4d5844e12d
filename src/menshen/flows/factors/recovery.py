"""Make recovery codes, and turn the second step on and off. (docs/contracts/factors.md section 7.)"""

from __future__ import annotations

from menshen.core.account.accounts import Account
from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import Template
from menshen.core.factors.asks import StepSwitch
from menshen.core.factors.outcomes import RecoveryCodes
from menshen.core.factors.proofs import Factor
from menshen.core.factors.recovery_codes import mac_of, read_code
from menshen.core.gates.members import FACTOR_CHANGES
from menshen.core.keys import Keyring
from menshen.core.outcomes import ActionOutcome, Done
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.time import Instant
from menshen.flows.factors.changing import finish_change
from menshen.flows.factors.first_factor import draw_codes, keep_codes
from menshen.flows.gates.holding import asked_anywhere, has_factor, hold_to_change
from menshen.flows.gates.member_quotas import charge_member
from menshen.flows.proofs.counting import count_code, refund_code, wrong_code
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World


@use_case(
    FlowKind.CHANGE,
    {ProblemCode.PROOF_REQUIRED, ProblemCode.FORBIDDEN, ProblemCode.UNAUTHENTICATED, ProblemCode.TOO_MANY_REQUESTS},
    quota=FACTOR_CHANGES,
)
async def make_recovery_codes(
    caller: Authenticated, origin: Origin, *, store: Store, world: World, keyring: Keyring, policy: Policy
) -> RecoveryCodes | Denied:
    """Make a new set of ten codes in place of the old one, and end the account's other sessions.

    Denied: PROOF_REQUIRED, TOO_MANY_REQUESTS, FORBIDDEN (the account has no factor).

    Raises:
        Problem: UNAUTHENTICATED, if the caller's session ended meanwhile.
    """
    now, codes = world.now(), draw_codes(world)

    async def work(tx: WriteTx) -> RecoveryCodes | Denied:
        account = await hold_to_change(tx, caller, origin, now)
        if isinstance(account, Denied):
            return account
        if not await has_factor(tx, account.number):
            return Denied(ProblemCode.FORBIDDEN)
        if refusal := await charge_member(tx, FACTOR_CHANGES, caller, keyring=keyring, policy=policy, now=now):
            return refusal
        await keep_codes(tx, account.number, codes, keyring=keyring, now=now)
        await finish_change(
            tx,
            account,
            origin,
            Tag.RECOVERY_MADE,
            Template.RECOVERY_MADE,
            keyring=keyring,
            policy=policy,
            now=now,
            keep_session=caller.session.session_id,
        )
        return RecoveryCodes(codes)

    return await store.write(work)


@use_case(
    FlowKind.CHANGE,
    {
        ProblemCode.PROOF_REQUIRED,
        ProblemCode.FORBIDDEN,
        ProblemCode.INVALID_REQUEST,
        ProblemCode.WRONG_SECOND_FACTOR,
        ProblemCode.UNAUTHENTICATED,
        ProblemCode.TOO_MANY_REQUESTS,
    },
    quota=FACTOR_CHANGES,
)
async def switch_second_step(
    ask: StepSwitch,
    caller: Authenticated,
    origin: Origin,
    *,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
) -> ActionOutcome:
    """Turn the second step on or off, and end the account's other sessions. If it is so already, nothing changes.

    Turning it on takes a recovery code typed back, which stays unused, or the owner's word.
    Denied: PROOF_REQUIRED, TOO_MANY_REQUESTS, WRONG_SECOND_FACTOR, INVALID_REQUEST (on with neither of both, which is
    no guess, and not counted), FORBIDDEN (on without a factor, or off where the app or a role requires it).

    Raises:
        Problem: UNAUTHENTICATED, if the caller's session ended meanwhile.
    """
    now = world.now()

    async def work(tx: WriteTx) -> ActionOutcome:
        account = await hold_to_change(tx, caller, origin, now)
        if isinstance(account, Denied):
            return account
        if account.second_step is ask.on:
            return Done()
        refusal = await _judge(tx, account, ask, origin, keyring=keyring, policy=policy, now=now)
        refusal = refusal or await charge_member(tx, FACTOR_CHANGES, caller, keyring=keyring, policy=policy, now=now)
        if refusal:
            return refusal
        await finish_change(
            tx,
            account,
            origin,
            Tag.SECOND_STEP_ON if ask.on else Tag.SECOND_STEP_OFF,
            Template.FACTOR_ADDED if ask.on else Template.FACTOR_REMOVED,
            keyring=keyring,
            policy=policy,
            now=now,
            keep_session=caller.session.session_id,
            second_step=ask.on,
        )
        return Done()

    return await store.write(work)


async def _judge(
    tx: WriteTx, account: Account, ask: StepSwitch, origin: Origin, *, keyring: Keyring, policy: Policy, now: Instant
) -> Denied | None:
    """Judge a switch of a held account. A typed code is counted before, as each code of a second factor."""
    if not ask.on:
        return Denied(ProblemCode.FORBIDDEN) if await asked_anywhere(tx, account) else None
    if not await has_factor(tx, account.number):
        return Denied(ProblemCode.FORBIDDEN)
    if ask.confirmed:
        return None
    if not ask.recovery_code:
        return Denied(ProblemCode.INVALID_REQUEST, field="recovery_code")
    if refusal := await count_code(tx, account.number, keyring=keyring, policy=policy, now=now):
        return refusal
    code = read_code(ask.recovery_code)
    if code is None or not await tx.recovery_codes.holds(account.number, mac_of(keyring, account.number, code)):
        await wrong_code(tx, account.number, Factor.RECOVERY, origin, keyring=keyring, policy=policy, now=now)
        return Denied(ProblemCode.WRONG_SECOND_FACTOR)
    await refund_code(tx, account.number, keyring=keyring)
    return None
