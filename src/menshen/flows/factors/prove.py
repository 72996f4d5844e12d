"""Prove identity again in a session, before a change. (docs/contracts/factors.md section 8.)

A password, or a code to a proved phone or mailbox, is enough for an account without a second step. Each other account
proves a factor. So who stole a session, and knows the password, still changes nothing (docs/security/attacks.md PK-5).
"""

from __future__ import annotations

from menshen.core.account.accounts import Account
from menshen.core.audit.events import Tag
from menshen.core.codes.one_time_codes import CodeKey
from menshen.core.factors.asks import BY_CODE, BY_PASSWORD, FactorProof, IdentityProof
from menshen.core.factors.challenges import RANDOM_BYTES
from menshen.core.factors.freshness import needs_factor
from menshen.core.factors.passkeys import Ceremony, PublicKeyOptions
from menshen.core.factors.proofs import BY_SMS, Factor
from menshen.core.gates.members import SESSION_CALLS
from menshen.core.keys import Keyring
from menshen.core.outcomes import ActionOutcome, Done
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.time import Instant
from menshen.flows.account.proving import hold_proved, prove_password, spend_proof_code
from menshen.flows.audit.recording import event_of
from menshen.flows.codes.attempts import CODE_REFUSALS
from menshen.flows.gates.concurrency import AttemptGate
from menshen.flows.gates.holding import hold_caller
from menshen.flows.gates.password_attempts import PASSWORD_REFUSALS
from menshen.flows.login.steps import usable_factors
from menshen.flows.proofs.assertions import request_options, site_of
from menshen.flows.proofs.judging import Asked, Burnt, Judges, burn_proof, note_wrong, settle_proof, verify_proof
from menshen.flows.proofs.kinds import proof_in
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.hashing import PasswordHasher
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World


@use_case(FlowKind.LOOKUP, {ProblemCode.NOT_FOUND}, quota=SESSION_CALLS)
async def prove_options(
    caller: Authenticated, origin: Origin, *, store: Store, world: World, keyring: Keyring, policy: Policy
) -> PublicKeyOptions | Denied:
    """Return the request options for the passkeys of the caller. They are good for this session alone.

    Denied: NOT_FOUND, if the account has no passkey of this site, or the app takes none beside its other factors.
    """
    if Factor.PASSKEY not in await usable_factors(store.read, caller.account, origin.app, BY_SMS):
        return Denied(ProblemCode.NOT_FOUND)
    rp_id = site_of(origin, policy).rp_id
    passkeys = await store.read.passkeys.list_of(caller.account.number)
    allowed = [passkey for passkey in passkeys if passkey.rp_id == rp_id]
    if not allowed:
        return Denied(ProblemCode.NOT_FOUND)
    return request_options(
        Ceremony.PROVE,
        caller.session.session_id,
        origin,
        allowed=allowed,
        keyring=keyring,
        policy=policy,
        chance=world.token_bytes(RANDOM_BYTES),
        now=world.now(),
    )


@use_case(
    FlowKind.CHANGE,
    PASSWORD_REFUSALS
    | CODE_REFUSALS
    | {
        ProblemCode.WRONG_SECOND_FACTOR,
        ProblemCode.CHALLENGE_EXPIRED,
        ProblemCode.PROOF_REQUIRED,
        ProblemCode.INVALID_REQUEST,
        ProblemCode.UNAUTHENTICATED,
        ProblemCode.TOO_MANY_REQUESTS,
    },
    quota=SESSION_CALLS,
)
async def prove_identity(
    ask: IdentityProof,
    caller: Authenticated,
    origin: Origin,
    *,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
    judges: Judges,
    hasher: PasswordHasher,
    attempt_gate: AttemptGate,
) -> ActionOutcome:
    """Judge a proof, and note it in the session: changes are then allowed for 10 minutes. A factor raises the level.

    Denied: PROOF_REQUIRED (only a factor is enough for this account, so nothing else was judged), INVALID_REQUEST (no
    proof), WRONG_CREDENTIALS, WRONG_CODE, WRONG_SECOND_FACTOR, CHALLENGE_EXPIRED, TOO_MANY_REQUESTS,
    PASSWORD_SUSPENDED.

    Raises:
        Problem: UNAUTHENTICATED, if the caller's session ended meanwhile.
    """
    if ask.method not in {BY_PASSWORD, BY_CODE}:
        if ask.proof is None:
            return Denied(ProblemCode.INVALID_REQUEST, field="method")
        return await _prove_factor(ask.proof, caller, origin, store=store, judges=judges, now=world.now())
    if needs_factor(caller.account, caller.session, origin.app):
        return Denied(ProblemCode.PROOF_REQUIRED)
    by_password = ask.method == BY_PASSWORD
    if by_password and (
        refusal := await prove_password(
            ask.secret, caller, origin, store=store, hasher=hasher, world=world, keyring=keyring, policy=policy,
            attempt_gate=attempt_gate,
        )
    ):  # fmt: skip
        return refusal
    now = world.now()

    async def burn(tx: WriteTx) -> CodeKey | Denied:
        account = await hold_caller(tx, caller)
        if needs_factor(account, caller.session, origin.app):
            return Denied(ProblemCode.PROOF_REQUIRED)
        return await spend_proof_code(tx, account, ask.secret, origin, keyring=keyring, policy=policy, now=now)

    spent = None if by_password else await store.write(burn)
    if isinstance(spent, Denied):
        return spent
    proof = None if spent is None or policy.test_number(spent.subject, now) else spent

    async def note(tx: WriteTx) -> ActionOutcome:
        account = await hold_proved(tx, caller, by_password=by_password)
        if isinstance(account, Denied):
            return account
        if proof and not await tx.codes.stands(proof):
            # A change of the account, which deletes its codes, came between the two transactions.
            return Denied(ProblemCode.WRONG_CODE)
        if needs_factor(account, caller.session, origin.app):
            return Denied(ProblemCode.PROOF_REQUIRED)
        await tx.sessions.prove(caller.session.session_id, now)
        return await _done(tx, account, caller, origin, now, reason=ask.method)

    return await store.write(note)


async def _prove_factor(
    given: FactorProof, caller: Authenticated, origin: Origin, *, store: Store, judges: Judges, now: Instant
) -> ActionOutcome:
    """Judge a factor as a second step is judged. A code by SMS is none here: it is sent for a login only."""
    session = caller.session
    if given.factor not in judges.factor_kinds.names | {Factor.PASSKEY, Factor.RECOVERY}:
        return Denied(ProblemCode.INVALID_REQUEST, field="method")

    async def burn(tx: WriteTx) -> Burnt | Denied:
        account = await hold_caller(tx, caller)
        usable = await usable_factors(tx, account, origin.app, BY_SMS)
        asked = Asked(Ceremony.PROVE, session.session_id, usable)
        return await burn_proof(tx, account, given, asked, origin, judges=judges, now=now)

    burnt = await store.write(burn)
    if isinstance(burnt, Denied):
        return burnt
    verified = await verify_proof(given, burnt, origin, judges)

    async def note(tx: WriteTx) -> ActionOutcome:
        account = await hold_caller(tx, caller)
        if isinstance(verified, Denied):
            await note_wrong(tx, account, given, origin, judges=judges, now=now)
            return verified
        if account.factors_version != caller.account.factors_version:
            return Denied(ProblemCode.WRONG_SECOND_FACTOR)
        proof = await settle_proof(tx, account, verified, origin, judges=judges, now=now)
        if isinstance(proof, Denied):
            return proof
        reached = proof_in(session).joined(proof)
        await tx.sessions.prove_twice(session.session_id, now, level=reached.level, methods=str(reached))
        return await _done(tx, account, caller, origin, now, reason=verified.factor)

    return await store.write(note)


async def _done(
    tx: WriteTx, account: Account, caller: Authenticated, origin: Origin, now: Instant, *, reason: str
) -> ActionOutcome:
    session_id = caller.session.session_id
    await tx.audit.append(
        event_of(Tag.IDENTITY_PROVED, origin, now, account=account.number, reason=reason, session_id=session_id)
    )
    return Done()
