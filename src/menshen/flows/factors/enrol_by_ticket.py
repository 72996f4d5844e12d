"""Enrol a factor at a login that must have one. Its ticket opens these calls and no other.

The enrolment completes the login. (docs/contracts/factors.md section 3; docs/security/attacks.md MF-10.)
"""

from __future__ import annotations

from dataclasses import replace

from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import Template
from menshen.core.factors.asks import Enrolment, NewPasskey
from menshen.core.factors.challenges import RANDOM_BYTES
from menshen.core.factors.enrolment import is_listed
from menshen.core.factors.outcomes import Begun
from menshen.core.factors.passkeys import HANDLE_BYTES, Asserted, PublicKeyOptions, proof_by
from menshen.core.factors.pending import TRIES
from menshen.core.factors.proofs import Factor, Proof
from menshen.core.keys import Keyring
from menshen.core.login.outcomes import Granted, LoginOutcome
from menshen.core.policy import Policy
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import Instant
from menshen.core.tokens import TOKEN_BYTES, base32
from menshen.flows.factors.changing import finish_change
from menshen.flows.factors.enrol import begin_of, find_begun, judge_first_proof
from menshen.flows.factors.first_factor import codes_of_first_factor, draw_codes
from menshen.flows.factors.registering import attest, burn_registration, creation_options, keep_passkey, typed_name
from menshen.flows.factors.tickets_to_enrol import allow_enrolment, charge_enrolment, hold_enrolment
from menshen.flows.login.finish import Minted, mint
from menshen.flows.login.tickets import TICKET_INVALID, Held, complete
from menshen.flows.proofs.kinds import FactorKinds, proof_of
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports import factors as port
from menshen.ports.passkeys import PasskeyJudge
from menshen.ports.sealing import Sealer
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World


async def _grant(
    tx: WriteTx,
    held: Held,
    origin: Origin,
    minted: Minted,
    proof: Proof,
    kind: str,
    *,
    codes: tuple[str, ...],
    keyring: Keyring,
    policy: Policy,
    now: Instant,
) -> Granted:
    """Take the ticket, open the session, and finish the enrolment of a factor that is stored already.

    Raises:
        Problem: TICKET_INVALID, if the account changed or another call took the ticket. All is rolled back.
    """
    outcome = await complete(tx, held, proof, kind, origin, minted, keyring=keyring, policy=policy, now=now)
    if not isinstance(outcome, Granted):
        raise Problem(ProblemCode.TICKET_INVALID, "a pending login ended behind its account's lock")
    await finish_change(
        tx,
        held.account,
        origin,
        Tag.FACTOR_ADDED,
        Template.FACTOR_ADDED,
        keyring=keyring,
        policy=policy,
        now=now,
        reason=kind,
        keep_session=outcome.session.session_id,
    )
    return replace(outcome, recovery_codes=codes)


@use_case(
    FlowKind.CHANGE,
    {
        ProblemCode.TICKET_INVALID,
        ProblemCode.WRONG_CODE,
        ProblemCode.PROOF_REQUIRED,
        ProblemCode.NOT_FOUND,
        ProblemCode.FORBIDDEN,
        ProblemCode.TOO_MANY_REQUESTS,
    },
)
async def begin_by_ticket(
    kind: str,
    ticket: str,
    sms_code: str,
    origin: Origin,
    *,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
    sealer: Sealer,
    factor_kinds: FactorKinds,
) -> Begun | Denied:
    """Begin to enrol a factor. `sms_code` allows it where the first proof was a password and the phone is proved.

    Denied: TICKET_INVALID, PROOF_REQUIRED (a code by SMS is due), WRONG_CODE, NOT_FOUND, FORBIDDEN.
    """
    factor, now, chance = factor_kinds.find(kind), world.now(), world.token_bytes(port.RANDOM_BYTES)

    async def work(tx: WriteTx) -> Begun | Denied:
        held = await hold_enrolment(tx, ticket, origin, keyring=keyring, now=now)
        if isinstance(held, Denied):
            return held
        account = held.account
        # Before the code by SMS is spent: it would be spent for nothing.
        if factor is None:
            return Denied(ProblemCode.NOT_FOUND)
        if not is_listed(origin.app, kind):
            return Denied(ProblemCode.FORBIDDEN)
        refusal = await allow_enrolment(tx, held, sms_code, origin, keyring=keyring, policy=policy, now=now)
        if refusal := refusal or await charge_enrolment(tx, held, keyring=keyring, now=now):
            return refusal
        return await begin_of(tx, account, kind, factor, origin, chance, sealer=sealer, policy=policy, now=now)

    return await store.write(work)


@use_case(
    FlowKind.LOGIN,
    {
        ProblemCode.TICKET_INVALID,
        ProblemCode.FORBIDDEN,
        ProblemCode.WRONG_SECOND_FACTOR,
        ProblemCode.PROOF_REQUIRED,
        ProblemCode.NOT_FOUND,
        ProblemCode.TOO_MANY_REQUESTS,
    },
    method="enrolment",
    deny_list=True,
)
async def confirm_by_ticket(
    ask: Enrolment,
    ticket: str,
    origin: Origin,
    *,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
    sealer: Sealer,
    factor_kinds: FactorKinds,
) -> LoginOutcome:
    """Confirm the factor, and complete the login. Its answer has the recovery codes, once."""
    factor, now = factor_kinds.find(ask.kind), world.now()

    async def burn(tx: WriteTx) -> tuple[port.Proved, bytes] | Denied:
        held = await hold_enrolment(tx, ticket, origin, keyring=keyring, now=now)
        if isinstance(held, Denied):
            return held
        listed = is_listed(origin.app, ask.kind)
        if held.pending.phone_due or not listed:
            # A session at another app, which lists it, may have begun it.
            return Denied(ProblemCode.PROOF_REQUIRED if listed else ProblemCode.FORBIDDEN)
        pending, account = held.pending, held.account
        begun = await find_begun(tx, account, ask.kind, now)
        if factor is None or begun is None:
            return Denied(ProblemCode.NOT_FOUND)
        step = await tx.pending_logins.count_step(pending.ticket, now, most=TRIES)
        if step is None:
            return TICKET_INVALID
        proved = await judge_first_proof(
            tx, account, begun, factor, ask.code, origin, sealer=sealer, keyring=keyring, policy=policy, now=now
        )
        if not isinstance(proved, Denied):
            return proved, begun.begun
        if proved.code is ProblemCode.WRONG_SECOND_FACTOR:
            return replace(proved, tries_left=TRIES - step)
        await tx.pending_logins.refund_step(pending.ticket)
        return proved

    # The try is counted before the login is granted. It stays so if the transaction below fails (decision 0003).
    burnt = await store.write(burn)
    if isinstance(burnt, Denied) or factor is None:
        return burnt if isinstance(burnt, Denied) else Denied(ProblemCode.NOT_FOUND)
    (proved, begun), minted, codes = burnt, mint(world, origin.rules), draw_codes(world)

    async def grant(tx: WriteTx) -> LoginOutcome:
        held = await hold_enrolment(tx, ticket, origin, keyring=keyring, now=now, counted=True)
        if isinstance(held, Denied):
            return held
        number = held.account.number
        made = await codes_of_first_factor(tx, number, codes, keyring=keyring, now=now)
        if not await tx.factors.confirm(number, ask.kind, begun, counter=proved.enrolled.counter, now=now):
            # Another enrolment was begun between the two transactions.
            raise Problem(ProblemCode.NOT_FOUND, "the enrolment was begun again")
        return await _grant(
            tx, held, origin, minted, proof_of(factor), ask.kind, codes=made, keyring=keyring, policy=policy, now=now
        )

    return await store.write(grant)


@use_case(
    FlowKind.LOOKUP,
    {
        ProblemCode.TICKET_INVALID,
        ProblemCode.WRONG_CODE,
        ProblemCode.PROOF_REQUIRED,
        ProblemCode.FORBIDDEN,
        ProblemCode.TOO_MANY_REQUESTS,
    },
)
async def passkey_options_by_ticket(
    ticket: str, sms_code: str, origin: Origin, *, store: Store, world: World, keyring: Keyring, policy: Policy
) -> PublicKeyOptions | Denied:
    """Return the creation options, which are good for this ticket alone. `sms_code` as in `begin_by_ticket`.

    Denied: TICKET_INVALID, PROOF_REQUIRED, WRONG_CODE, FORBIDDEN (by the app), TOO_MANY_REQUESTS.
    """
    now, handle, chance = world.now(), world.token_bytes(HANDLE_BYTES), world.token_bytes(RANDOM_BYTES)

    async def work(tx: WriteTx) -> PublicKeyOptions | Denied:
        held = await hold_enrolment(tx, ticket, origin, keyring=keyring, now=now)
        if isinstance(held, Denied):
            return held
        account = held.account
        if not is_listed(origin.app, Factor.PASSKEY):
            return Denied(ProblemCode.FORBIDDEN)
        refusal = await allow_enrolment(tx, held, sms_code, origin, keyring=keyring, policy=policy, now=now)
        if refusal := refusal or await charge_enrolment(tx, held, keyring=keyring, now=now):
            return refusal
        existing = await tx.passkeys.list_of(account.number)
        kept = await tx.passkeys.keep_handle(account.number, handle)
        return creation_options(
            account, kept, existing, ticket, origin, keyring=keyring, policy=policy, chance=chance, now=now
        )

    return await store.write(work)


@use_case(
    FlowKind.LOGIN,
    {
        ProblemCode.TICKET_INVALID,
        ProblemCode.WRONG_PASSKEY,
        ProblemCode.CHALLENGE_EXPIRED,
        ProblemCode.ALREADY_TAKEN,
        ProblemCode.PROOF_REQUIRED,
        ProblemCode.FORBIDDEN,
        ProblemCode.TOO_MANY_REQUESTS,
        ProblemCode.INVALID_REQUEST,
    },
    method="enrolment",
    deny_list=True,
)
async def add_passkey_by_ticket(
    ask: NewPasskey,
    ticket: str,
    origin: Origin,
    *,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
    passkey_judge: PasskeyJudge,
) -> LoginOutcome:
    """Register a passkey, and complete the login. Its answer has the recovery codes, once."""
    now, name = world.now(), typed_name(ask.name)
    if isinstance(name, Denied):
        return name

    async def burn(tx: WriteTx) -> tuple[bytes, int] | Denied:
        return await _burn_passkey(
            tx, ask, ticket, origin, keyring=keyring, policy=policy, passkey_judge=passkey_judge, now=now
        )

    burnt = await store.write(burn)
    if isinstance(burnt, Denied):
        return burnt
    challenge, tries_left = burnt
    await passkey_judge.get_ready()
    attested = attest(ask.credential, challenge, origin, policy=policy, passkey_judge=passkey_judge)
    if attested is None:
        return Denied(ProblemCode.WRONG_PASSKEY, tries_left=tries_left)
    passkey_id, minted, codes = base32(world.token_bytes(TOKEN_BYTES)), mint(world, origin.rules), draw_codes(world)
    asserted = Asserted(attested.counter, attested.synced, attested.backed_up, attested.verified_user)

    async def grant(tx: WriteTx) -> LoginOutcome:
        held = await hold_enrolment(tx, ticket, origin, keyring=keyring, now=now, counted=True)
        if isinstance(held, Denied):
            return held
        made = await codes_of_first_factor(tx, held.account.number, codes, keyring=keyring, now=now)
        kept = await keep_passkey(tx, held.account, attested, name, passkey_id=passkey_id, now=now)
        if isinstance(kept, Denied):
            raise Problem(kept.code, "a passkey was not kept")
        proof = proof_by(kept, asserted)
        return await _grant(
            tx, held, origin, minted, proof, Factor.PASSKEY, codes=made, keyring=keyring, policy=policy, now=now
        )

    return await store.write(grant)


async def _burn_passkey(
    tx: WriteTx,
    ask: NewPasskey,
    ticket: str,
    origin: Origin,
    *,
    keyring: Keyring,
    policy: Policy,
    passkey_judge: PasskeyJudge,
    now: Instant,
) -> tuple[bytes, int] | Denied:
    """Count the try, and spend the challenge. Return the challenge, and how many tries the ticket has left."""
    held = await hold_enrolment(tx, ticket, origin, keyring=keyring, now=now)
    if isinstance(held, Denied):
        return held
    if held.pending.phone_due:
        return Denied(ProblemCode.PROOF_REQUIRED)
    if not is_listed(origin.app, Factor.PASSKEY):
        return Denied(ProblemCode.FORBIDDEN)
    step = await tx.pending_logins.count_step(held.pending.ticket, now, most=TRIES)
    if step is None:
        return TICKET_INVALID
    spent = await burn_registration(
        tx, ask.credential, ticket, origin, keyring=keyring, policy=policy, passkey_judge=passkey_judge, now=now
    )
    if not isinstance(spent, Denied):
        return spent, TRIES - step
    if spent.code is not ProblemCode.WRONG_PASSKEY:
        # An old challenge says nothing about the key: the page asks for another one by itself.
        await tx.pending_logins.refund_step(held.pending.ticket)
        return spent
    return replace(spent, tries_left=TRIES - step)
