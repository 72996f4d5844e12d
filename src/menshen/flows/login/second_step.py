"""Complete a pending login by a second step. (docs/contracts/factors.md sections 2 to 5.)

The try is counted and the proof is used up in a first transaction. A second one takes the ticket and opens the session.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from menshen.core.account.security_links import SecurityAct
from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import Template
from menshen.core.factors.asks import FactorProof, SecondStep
from menshen.core.factors.passkeys import Ceremony
from menshen.core.factors.pending import TRIES
from menshen.core.factors.proofs import Factor, Method, is_required_for
from menshen.core.factors.recovery_codes import read_code
from menshen.core.factors.trusted_devices import MOST, TrustedDevice
from menshen.core.gates.limits import Claim, Hit, Quota, Tally
from menshen.core.login.outcomes import Granted, LoginOutcome, StepNeeded
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import DAY, Instant, after
from menshen.core.tokens import TOKEN_BYTES, base32, digest
from menshen.flows.account.notices import notify
from menshen.flows.audit.recording import append_refusal, event_of
from menshen.flows.login.finish import Minted, mint
from menshen.flows.login.steps import step_device, usable_factors
from menshen.flows.login.tickets import TICKET_INVALID, Held, complete, hold_ticket
from menshen.flows.proofs.judging import Asked, Burnt, Judges, burn_proof, note_wrong, settle_proof, verify_proof
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World

_TOLD_FROM: Final = 3
"""The wrong step after a right password at which the owner gets a notice."""


@use_case(
    FlowKind.LOGIN,
    {
        ProblemCode.WRONG_SECOND_FACTOR,
        ProblemCode.TICKET_INVALID,
        ProblemCode.TOO_MANY_REQUESTS,
        ProblemCode.CHALLENGE_EXPIRED,
    },
    method="second_step",
    deny_list=True,
)
async def second_step(
    ask: SecondStep,
    origin: Origin,
    *,
    store: Store,
    world: World,
    judges: Judges,
) -> LoginOutcome:
    """Judge a step, and open the session of the login that began.

    Denied: TICKET_INVALID (unknown, dead, of another app, dialect, device or browser: one answer), WRONG_SECOND_FACTOR
    with `tries_left`, TOO_MANY_REQUESTS (not charged to the ticket), CHALLENGE_EXPIRED (a passkey answered an old
    challenge).
    """
    step = _Step(
        ask,
        origin,
        judges,
        mint(world, origin.rules),
        _TrustSecrets(base32(world.token_bytes(TOKEN_BYTES)), base32(world.token_bytes(TOKEN_BYTES))),
        world.now(),
    )

    async def burn(tx: WriteTx) -> Burnt | Denied:
        return await _burn(tx, step)

    async def note_fault(tx: WriteTx) -> Denied:
        return await _note_wrong(tx, step)

    burnt = await store.write(burn)
    if isinstance(burnt, Denied):
        return burnt
    verified = await verify_proof(ask.proof, burnt, origin, judges)
    if isinstance(verified, Denied):
        return await store.write(note_fault)

    async def grant(tx: WriteTx) -> LoginOutcome:
        return await _grant(tx, step, verified)

    return await store.write(grant)


async def take_second_code(
    outcome: LoginOutcome,
    second_code: str,
    origin: Origin,
    *,
    store: Store,
    world: World,
    judges: Judges,
) -> LoginOutcome:
    """Judge the code that came along with a right first proof, as a step of the ticket that was just made.

    Its form says whether it is a recovery code or one of an app. Without one, or where no step is due, `outcome` stays.
    A code that does not complete the login is `refused` beside the ticket.
    """
    if not second_code or not isinstance(outcome, StepNeeded) or outcome.enroll:
        return outcome
    factor = Factor.RECOVERY if read_code(second_code) else Factor.TOTP
    ask = SecondStep(outcome.ticket, FactorProof(factor, second_code))
    # The browser gets the ticket's cookie only with the answer.
    same = replace(origin, step=replace(origin.step, cookie=outcome.cookie))
    completed = await second_step(ask, same, store=store, world=world, judges=judges)
    return replace(outcome, refused=completed) if isinstance(completed, Denied) else completed


@dataclass(frozen=True, slots=True)
class _TrustSecrets:
    """Hold the id and the token of a device that may become trusted."""

    trust_id: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Step:
    """Hold the data of one step in progress."""

    ask: SecondStep
    origin: Origin
    judges: Judges
    minted: Minted
    trust: _TrustSecrets
    now: Instant


async def _burn(tx: WriteTx, step: _Step) -> Burnt | Denied:
    """Count the try, and use the proof up."""
    held = await _hold(tx, step)
    if held is None or held.pending.enroll:
        # The ticket of an enrolment opens nothing else. (docs/security/attacks.md MF-10.)
        return TICKET_INVALID
    pending, account, origin = held.pending, held.account, step.origin
    tries = await tx.pending_logins.count_step(pending.ticket, step.now, most=TRIES)
    if tries is None:
        return TICKET_INVALID
    usable = await usable_factors(tx, account, origin.app, pending.proof)
    asked = Asked(Ceremony.STEP, step.ask.ticket, usable)
    burnt = await burn_proof(tx, account, step.ask.proof, asked, origin, judges=step.judges, now=step.now)
    if isinstance(burnt, Burnt):
        return burnt
    if burnt.code is ProblemCode.TOO_MANY_REQUESTS:
        await tx.pending_logins.refund_step(pending.ticket)
        event = event_of(
            Tag.LOGIN_REFUSED, origin, step.now, account=account.number, reason="second_step:too_many_requests"
        )
        await append_refusal(tx, event, origin, step.judges.keyring)
        return burnt
    return await _wrong(tx, step, held, tries, burnt)


async def _note_wrong(tx: WriteTx, step: _Step) -> Denied:
    """Audit a passkey whose signature was wrong. Its try was counted."""
    held = await _hold(tx, step, counted=True)
    if held is None:
        return TICKET_INVALID
    await note_wrong(tx, held.account, step.ask.proof, step.origin, judges=step.judges, now=step.now)
    return await _wrong(tx, step, held, held.pending.tries, Denied(ProblemCode.WRONG_SECOND_FACTOR))


async def _grant(tx: WriteTx, step: _Step, burnt: Burnt) -> LoginOutcome:
    """Take the ticket, and open the session."""
    held = await _hold(tx, step, counted=True)
    if held is None:
        return TICKET_INVALID
    origin, keyring, policy = step.origin, step.judges.keyring, step.judges.policy
    proof = await settle_proof(tx, held.account, burnt, origin, judges=step.judges, now=step.now)
    if isinstance(proof, Denied):
        return await _wrong(tx, step, held, held.pending.tries, proof)
    outcome = await complete(
        tx, held, proof, burnt.factor, origin, step.minted, keyring=keyring, policy=policy, now=step.now
    )
    if isinstance(outcome, Granted) and _may_trust(step, held, burnt.factor):
        return await _trust(tx, step, outcome)
    return outcome


async def _hold(tx: WriteTx, step: _Step, *, counted: bool = False) -> Held | None:
    return await hold_ticket(
        tx, step.ask.ticket, step.origin, keyring=step.judges.keyring, now=step.now, counted=counted
    )


async def _wrong(tx: WriteTx, step: _Step, held: Held, tries: int, refusal: Denied) -> Denied:
    """Return the refusal with the steps that are left. Give the owner a notice, once a day, after a right password."""
    number, keyring, policy = held.account.number, step.judges.keyring, step.judges.policy
    refused = replace(refusal, tries_left=max(0, TRIES - tries))
    if Method.PASSWORD not in held.pending.proof.methods:
        return refused
    # Counted apart: codes that the owner mistypes in a session tell nothing of the password.
    guessed = Hit(keyring.counter_key(Tally.STEP_GUESSED, str(number)), DAY, _TOLD_FROM)
    (count,) = await tx.counters.hit([guessed], step.now)
    if count.tries >= _TOLD_FROM:
        claim = Claim(keyring.counter_key(Quota.STEP_NOTICE_DAY, str(number)), 1, DAY)
        if await tx.counters.charge([claim], step.now) is None:
            await notify(
                tx,
                held.account.proved,
                Template.STEP_FAILED,
                step.now,
                origin=step.origin,
                keyring=keyring,
                policy=policy,
                act=SecurityAct(number),
            )
    return refused


def _may_trust(step: _Step, held: Held, factor: str) -> bool:
    """Return whether the device needs no step at its next logins with a password, as its owner asks."""
    app = step.origin.app
    if not step.ask.trust_device or not app.trusted_days or is_required_for(app, held.account):
        return False
    if held.is_elsewhere(step.origin):
        return False
    return factor not in {Factor.SMS, Factor.RECOVERY}


async def _trust(tx: WriteTx, step: _Step, granted: Granted) -> Granted:
    origin, device, account = step.origin, step.origin.device, granted.account
    until = after(step.now, origin.app.trusted_days * DAY)
    trusted = TrustedDevice(
        trust_id=step.trust.trust_id,
        account_number=account.number,
        app_id=origin.app.app_id,
        device=step_device(origin),
        name=device.name or device.model or granted.session.platform,
        ip=origin.ip,
        created_at=step.now,
        expires_at=until,
    )
    await tx.trusted_devices.add(trusted, digest(step.trust.token), most=MOST)
    await tx.audit.append(
        event_of(Tag.DEVICE_TRUSTED, origin, step.now, account=account.number, session_id=granted.session.session_id)
    )
    return replace(granted, trust=step.trust.token, trust_until=until)
