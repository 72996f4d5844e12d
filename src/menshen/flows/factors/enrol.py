"""Enrol and remove the factors of plug-ins, such as codes of an app. (docs/contracts/factors.md sections 5 and 10.)

Kinds whose proofs answer a challenge are no plug-ins of these flows: passkeys have flows of their own.
"""

from __future__ import annotations

from menshen.core.account.accounts import Account
from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import Template
from menshen.core.factors.asks import Enrolment
from menshen.core.factors.enrolment import LIFETIME, allows, issuer_of, label_of
from menshen.core.factors.outcomes import Begun, Enrolled
from menshen.core.gates.members import FACTOR_CHANGES
from menshen.core.keys import Keyring
from menshen.core.outcomes import ActionOutcome
from menshen.core.policy import Policy
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.time import Instant, after
from menshen.flows.factors.changing import finish_change, remove_one
from menshen.flows.factors.first_factor import codes_of_first_factor, draw_codes
from menshen.flows.gates.holding import hold_to_change
from menshen.flows.gates.member_quotas import charge_member
from menshen.flows.proofs.counting import count_code, refund_code, wrong_code
from menshen.flows.proofs.kinds import FactorKinds, proof_in, proof_of
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports import factors as port
from menshen.ports.sealing import SealBroken, Sealer
from menshen.ports.store.proofs.factors import StoredFactor
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World


@use_case(
    FlowKind.CHANGE,
    {
        ProblemCode.PROOF_REQUIRED,
        ProblemCode.NOT_FOUND,
        ProblemCode.FORBIDDEN,
        ProblemCode.UNAUTHENTICATED,
        ProblemCode.TOO_MANY_REQUESTS,
    },
    quota=FACTOR_CHANGES,
)
async def begin_factor(
    kind: str,
    caller: Authenticated,
    origin: Origin,
    *,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
    sealer: Sealer,
    factor_kinds: FactorKinds,
) -> Begun | Denied:
    """Begin to enrol a factor, for 10 minutes. It takes the place of an older beginning. A confirmed factor stays.

    Denied: PROOF_REQUIRED, NOT_FOUND (no such kind), FORBIDDEN (by the app), TOO_MANY_REQUESTS.

    Raises:
        Problem: UNAUTHENTICATED, if the caller's session ended meanwhile.
    """
    factor, now, chance = factor_kinds.find(kind), world.now(), world.token_bytes(port.RANDOM_BYTES)

    async def work(tx: WriteTx) -> Begun | Denied:
        account = await hold_to_change(tx, caller, origin, now)
        if isinstance(account, Denied):
            return account
        if factor is None:
            return Denied(ProblemCode.NOT_FOUND)
        if not allows(origin.app, kind):
            return Denied(ProblemCode.FORBIDDEN)
        if refusal := await charge_member(tx, FACTOR_CHANGES, caller, keyring=keyring, policy=policy, now=now):
            return refusal
        return await begin_of(tx, account, kind, factor, origin, chance, sealer=sealer, policy=policy, now=now)

    return await store.write(work)


async def begin_of(
    tx: WriteTx,
    account: Account,
    kind: str,
    factor: port.SecondFactor,
    origin: Origin,
    chance: bytes,
    *,
    sealer: Sealer,
    policy: Policy,
    now: Instant,
) -> Begun:
    """Keep a new secret of a held account, sealed together with the account's number and the kind (LG-3)."""
    begun = factor.begin(label_of(account), issuer_of(policy.product, origin.app), chance)
    until = after(now, LIFETIME)
    await tx.factors.begin(account.number, kind, sealer.seal_for(_shown(account, kind), begun.enrolled.secret), until)
    return Begun(begun.shown, until)


@use_case(
    FlowKind.CHANGE,
    {
        ProblemCode.WRONG_SECOND_FACTOR,
        ProblemCode.NOT_FOUND,
        ProblemCode.PROOF_REQUIRED,
        ProblemCode.UNAUTHENTICATED,
        ProblemCode.TOO_MANY_REQUESTS,
    },
)
async def confirm_factor(
    ask: Enrolment,
    caller: Authenticated,
    origin: Origin,
    *,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
    sealer: Sealer,
    factor_kinds: FactorKinds,
) -> Enrolled | Denied:
    """Confirm a begun factor by its first proof, which is used up by it. It replaces the confirmed one of its kind.

    The session reaches level 2, and the account's other sessions end. The first factor comes with recovery codes.
    Denied: PROOF_REQUIRED, NOT_FOUND (none is begun), WRONG_SECOND_FACTOR, TOO_MANY_REQUESTS.

    Raises:
        Problem: UNAUTHENTICATED, if the caller's session ended meanwhile.
    """
    factor, now, codes, session = factor_kinds.find(ask.kind), world.now(), draw_codes(world), caller.session

    async def work(tx: WriteTx) -> Enrolled | Denied:
        account = await hold_to_change(tx, caller, origin, now)
        if isinstance(account, Denied):
            return account
        begun = await find_begun(tx, account, ask.kind, now)
        if factor is None or begun is None:
            return Denied(ProblemCode.NOT_FOUND)
        proved = await judge_first_proof(
            tx, account, begun, factor, ask.code, origin, sealer=sealer, keyring=keyring, policy=policy, now=now
        )
        if isinstance(proved, Denied):
            return proved
        made = await codes_of_first_factor(tx, account.number, codes, keyring=keyring, now=now)
        counter = proved.enrolled.counter
        if not await tx.factors.confirm(account.number, ask.kind, begun.begun, counter=counter, now=now):
            # The account is held, so no other call was in between: the row itself is not what was read.
            raise Problem(ProblemCode.UNAVAILABLE, "an enrolment changed behind its lock")
        joined = proof_in(session).joined(proof_of(factor))
        await tx.sessions.prove_twice(session.session_id, now, level=joined.level, methods=str(joined))
        await finish_change(
            tx,
            account,
            origin,
            Tag.FACTOR_ADDED,
            Template.FACTOR_ADDED,
            keyring=keyring,
            policy=policy,
            now=now,
            reason=ask.kind,
            keep_session=session.session_id,
        )
        return Enrolled(recovery_codes=made)

    return await store.write(work)


async def find_begun(tx: WriteTx, account: Account, kind: str, now: Instant) -> StoredFactor | None:
    """Return the factor of a kind whose enrolment waits for its first proof, None if none waits."""
    stored = await tx.factors.find(account.number, kind)
    return stored if stored and stored.begun and now < stored.begun_until else None


async def judge_first_proof(
    tx: WriteTx,
    account: Account,
    begun: StoredFactor,
    factor: port.SecondFactor,
    code: str,
    origin: Origin,
    *,
    sealer: Sealer,
    keyring: Keyring,
    policy: Policy,
    now: Instant,
) -> port.Proved | Denied:
    """Count the first proof of an enrolment of a held account, then judge it.

    Denied: TOO_MANY_REQUESTS, WRONG_SECOND_FACTOR; NOT_FOUND, if the secret was sealed for another account or kind.
    """
    try:
        secret = sealer.open_for(_shown(account, begun.kind), begun.begun)
    except SealBroken:
        return Denied(ProblemCode.NOT_FOUND)
    if refusal := await count_code(tx, account.number, keyring=keyring, policy=policy, now=now):
        return refusal
    proved = factor.confirm(port.Enrolled(secret), code, port.Challenge(), now)
    if isinstance(proved, port.Unproved):
        await wrong_code(tx, account.number, begun.kind, origin, keyring=keyring, policy=policy, now=now)
        return Denied(ProblemCode.WRONG_SECOND_FACTOR)
    await refund_code(tx, account.number, keyring=keyring)
    return proved


@use_case(
    FlowKind.CHANGE,
    {
        ProblemCode.PROOF_REQUIRED,
        ProblemCode.NOT_FOUND,
        ProblemCode.FORBIDDEN,
        ProblemCode.UNAUTHENTICATED,
        ProblemCode.TOO_MANY_REQUESTS,
    },
    quota=FACTOR_CHANGES,
)
async def remove_factor(
    kind: str, caller: Authenticated, origin: Origin, *, store: Store, world: World, keyring: Keyring, policy: Policy
) -> ActionOutcome:
    """Remove a factor. With the last one, the recovery codes go and the second step is off.

    Denied: PROOF_REQUIRED, NOT_FOUND, TOO_MANY_REQUESTS, FORBIDDEN (the last one that the app or a role requires, or no
    way in would remain).

    Raises:
        Problem: UNAUTHENTICATED, if the caller's session ended meanwhile.
    """
    now = world.now()

    async def work(tx: WriteTx) -> ActionOutcome:
        account = await hold_to_change(tx, caller, origin, now)
        if isinstance(account, Denied):
            return account
        stored = await tx.factors.find(account.number, kind)
        if stored is None or not stored.sealed:
            return Denied(ProblemCode.NOT_FOUND)
        passkeys = await tx.passkeys.list_of(account.number)
        others = sum(each.sealed != b"" and each.kind != kind for each in await tx.factors.list_of(account.number))
        return await remove_one(
            tx,
            account,
            lambda: tx.factors.remove(account.number, kind),
            caller,
            origin,
            kind=kind,
            factors_left=len(passkeys) + others,
            logins_left=sum(not passkey.step_only for passkey in passkeys),
            keyring=keyring,
            policy=policy,
            now=now,
        )

    return await store.write(work)


def _shown(account: Account, kind: str) -> tuple[str, str]:
    """Return what a secret is sealed together with."""
    return str(account.number), kind
