"""Bind or change a phone or email.

The caller proves their identity again, and enters a code sent to the new phone or email. The old ones get a notice.
"""

from __future__ import annotations

from menshen.core.account.asks import Bind, Edited
from menshen.core.account.security_links import SecurityAct
from menshen.core.audit.events import Tag
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.delivery.messages import Template
from menshen.core.factors.freshness import has_fresh_proof, lacks_factor
from menshen.core.gates.members import BINDS, FRESH_BINDS
from menshen.core.identifiers import Identifier, masked
from menshen.core.keys import Keyring
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.time import Instant
from menshen.flows.account.notices import notify
from menshen.flows.account.proving import hold_proved, prove_password, spend_proof_code
from menshen.flows.audit.recording import event_of
from menshen.flows.codes.attempts import CODE_REFUSALS, code_key, try_code
from menshen.flows.codes.claims import drop_claims
from menshen.flows.gates.concurrency import AttemptGate
from menshen.flows.gates.holding import hold_caller, lacks_factor_anywhere
from menshen.flows.gates.member_quotas import charge_member
from menshen.flows.gates.password_attempts import PASSWORD_REFUSALS
from menshen.flows.sessions.manage import end_all_sessions
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.hashing import PasswordHasher
from menshen.ports.store.accounts import AlreadyTaken
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World


@use_case(
    FlowKind.CHANGE,
    PASSWORD_REFUSALS
    | CODE_REFUSALS
    | {ProblemCode.PROOF_REQUIRED, ProblemCode.ALREADY_TAKEN, ProblemCode.UNAUTHENTICATED},
    quota=BINDS,
)
async def bind(
    ask: Bind,
    caller: Authenticated,
    origin: Origin,
    *,
    store: Store,
    hasher: PasswordHasher,
    world: World,
    keyring: Keyring,
    policy: Policy,
    attempt_gate: AttemptGate,
) -> Edited | Denied:
    """Set `subject` as the caller's verified phone or email. All other sessions of the account end.

    Denied: PROOF_REQUIRED (no proof in the last 10 minutes, and none in the request), WRONG_CREDENTIALS, WRONG_CODE,
    TOO_MANY_REQUESTS, PASSWORD_SUSPENDED. ALREADY_TAKEN is possible only after a correct code. An account with a second
    step, or with a factor where any app asks it for two proofs, needs a factor of the last 10 minutes.
    (docs/contracts/core.md section 1.2, docs/contracts/factors.md section 8.)

    Raises:
        Problem: UNAUTHENTICATED, if the caller's session ended meanwhile.
    """
    session = caller.session
    if lacks_factor(caller.account, session, origin.app, world.now()):
        return Denied(ProblemCode.PROOF_REQUIRED)
    if ask.password is not None and (
        refusal := await prove_password(
            ask.password,
            caller,
            origin,
            store=store,
            hasher=hasher,
            world=world,
            keyring=keyring,
            policy=policy,
            attempt_gate=attempt_gate,
        )
    ):
        return refusal
    now = world.now()
    key = code_key(origin, Purpose.BIND, ask.subject)

    async def burn(tx: WriteTx) -> Denied | None:
        present = await hold_proved(tx, caller, by_password=ask.password is not None)
        if isinstance(present, Denied):
            return present
        if await lacks_factor_anywhere(tx, present, session, origin, now):
            return Denied(ProblemCode.PROOF_REQUIRED)
        fresh = has_fresh_proof(present, session, origin.app, now)
        proved = ask.password is not None or fresh
        refusal = None if proved else Denied(ProblemCode.PROOF_REQUIRED)
        if not proved and ask.proof_code is not None:
            spent = await spend_proof_code(tx, present, ask.proof_code, origin, keyring=keyring, policy=policy, now=now)
            refusal = spent if isinstance(spent, Denied) else None
        by_proof = ask.password is not None or not fresh
        quota = BINDS if by_proof else FRESH_BINDS
        refusal = refusal or await charge_member(tx, quota, caller, keyring=keyring, policy=policy, now=now)
        if refusal:
            return refusal
        if not fresh:
            # Stored before the new identifier's code is checked: a typing error in it does not require a second proof.
            await tx.sessions.prove(session.session_id, now)
            await tx.audit.append(
                event_of(Tag.IDENTITY_PROVED, origin, now, account=present.number, session_id=session.session_id)
            )
        return await try_code(tx, key, ask.code, origin, keyring=keyring, policy=policy, now=now)

    if refusal := await store.write(burn):
        return refusal

    async def work(tx: WriteTx) -> Edited | Denied:
        return await _take_over(tx, ask, caller, origin, now, keyring=keyring, policy=policy)

    try:
        return await store.write(work)
    except AlreadyTaken as taken:
        return Denied(ProblemCode.ALREADY_TAKEN, field=taken.field)


async def _take_over(
    tx: WriteTx,
    ask: Bind,
    caller: Authenticated,
    origin: Origin,
    now: Instant,
    *,
    keyring: Keyring,
    policy: Policy,
) -> Edited | Denied:
    """Store the verified identifier, end the other sessions, delete the account's codes, and send the notices."""
    # The owner may have ended the session meanwhile, for example by a reset.
    # Then another person's number must not be bound to the account.
    account, session = await hold_caller(tx, caller), caller.session
    if await lacks_factor_anywhere(tx, account, session, origin, now):
        return Denied(ProblemCode.PROOF_REQUIRED)
    identifier = Identifier(ask.kind, ask.subject)
    owner = await tx.accounts.find_owner(identifier)
    if owner is not None and owner.number != account.number:
        return Denied(ProblemCode.ALREADY_TAKEN, field=ask.kind.value)
    await drop_claims(tx, identifier, origin, now, owner=account.number)
    await tx.accounts.set_identifier(account.number, ask.kind, ask.subject, now=now)
    await end_all_sessions(tx, account.number, origin, now, reason="factor_changed", except_id=session.session_id)
    for subject in account.proved:
        await tx.codes.drop(subject)
    await tx.audit.append(event_of(Tag.IDENTIFIER_BOUND, origin, now, account=account.number, subject=ask.subject))
    # Notify the replaced identifier, and the account's other one.
    before = [subject for subject in account.proved if subject != ask.subject]
    await notify(
        tx,
        before,
        Template.IDENTIFIER_CHANGED,
        now,
        origin=origin,
        keyring=keyring,
        policy=policy,
        detail=masked(ask.subject),
        act=SecurityAct(account.number, session.session_id),
    )
    present = await tx.accounts.find(account.number)
    return Edited(present or account)
