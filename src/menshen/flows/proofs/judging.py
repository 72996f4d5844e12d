"""Judge proofs by second factors, for the ticket of a login and for a session alike.

A proof is used up in a first transaction, which is committed for a wrong one, too. What it proves is used in a second
one. So no fault makes a proof good twice (decision 0003). The signature of a passkey is verified between the two.

    burn_proof ──(commit)──> verify_proof ──> settle_proof, and what the proof is for, in one transaction

The caller holds the account in both, and counts its own tries before `burn_proof`. Codes are counted by account, wrong
passkeys by network: a signature cannot be guessed. (docs/contracts/factors.md sections 2, 4 and 5.)
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from menshen.core.account.accounts import Account
from menshen.core.account.security_links import SecurityAct
from menshen.core.audit.events import Tag
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.delivery.messages import Template
from menshen.core.factors.asks import FactorProof
from menshen.core.factors.passkeys import Asserted, Ceremony, Passkey
from menshen.core.factors.proofs import BY_MAIL, BY_SMS, Factor, Proof
from menshen.core.factors.recovery_codes import mac_of, read_code
from menshen.core.gates.limits import Hit, Tally
from menshen.core.keys import Keyring
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import Instant
from menshen.flows.account.notices import notify
from menshen.flows.audit.recording import event_of
from menshen.flows.codes.attempts import code_key, try_code
from menshen.flows.proofs.assertions import burn_assertion, note_assertion, verify_assertion
from menshen.flows.proofs.counting import (
    count_code,
    is_totp_suspended,
    lift_suspension,
    refund_code,
    right_code,
    wrong_code,
)
from menshen.flows.proofs.kinds import FactorKinds, proof_of
from menshen.ports.factors import Challenge, Enrolled, Proved
from menshen.ports.passkeys import PasskeyJudge
from menshen.ports.sealing import SealBroken, Sealer
from menshen.ports.store.store import WriteTx

WRONG: Final = Denied(ProblemCode.WRONG_SECOND_FACTOR)
"""The answer to each proof that is judged and not right, but for an old challenge."""

SUSPENDED: Final = Denied(ProblemCode.TOO_MANY_REQUESTS)
"""The answer while codes of an app are suspended. Waiting does not help, so it names no seconds."""


@dataclass(frozen=True, slots=True)
class Judges:
    """Hold the ports that judge proofs."""

    keyring: Keyring
    policy: Policy
    sealer: Sealer
    factor_kinds: FactorKinds
    passkey_judge: PasskeyJudge


@dataclass(frozen=True, slots=True)
class Asked:
    """Say what a proof is asked for. `usable` are the factors that count.

    The challenge of a passkey belongs to `ceremony` and to `bound_to`: a ticket, or the id of a session.
    """

    ceremony: Ceremony
    bound_to: str
    usable: Collection[str]


@dataclass(frozen=True, slots=True)
class Burnt:
    """Hold a proof that is used up. A passkey is right only once `verify_proof` says so."""

    factor: str
    proof: Proof | None = None
    passkey: Passkey | None = None
    asserted: Asserted | None = None


async def burn_proof(
    tx: WriteTx, account: Account, given: FactorProof, asked: Asked, origin: Origin, *, judges: Judges, now: Instant
) -> Burnt | Denied:
    """Count a proof of a held account, use it up, and audit a wrong one.

    Denied: TOO_MANY_REQUESTS, for a proof that was not judged. WRONG_SECOND_FACTOR, CHALLENGE_EXPIRED.
    """
    if given.factor not in asked.usable:
        await note_wrong(tx, account, given, origin, judges=judges, now=now)
        return WRONG
    if given.factor == Factor.PASSKEY:
        return await _burn_passkey(tx, account, given, asked, origin, judges=judges, now=now)
    return await _burn_code(tx, account, given, origin, judges=judges, now=now)


async def verify_proof(given: FactorProof, burnt: Burnt, origin: Origin, judges: Judges) -> Burnt | Denied:
    """Verify the signature of a passkey, outside of transactions. Each other proof is right already.

    Denied: WRONG_SECOND_FACTOR. The caller must audit it by `note_wrong`.
    """
    if burnt.passkey is None:
        return burnt
    await judges.passkey_judge.get_ready()
    asserted = verify_assertion(
        given.credential or {},
        burnt.passkey,
        origin,
        policy=judges.policy,
        passkey_judge=judges.passkey_judge,
        verified_user=False,
    )
    return WRONG if asserted is None else replace(burnt, asserted=asserted)


async def settle_proof(
    tx: WriteTx, account: Account, burnt: Burnt, origin: Origin, *, judges: Judges, now: Instant
) -> Proof | Denied:
    """Return what a proof of a held account proves. The use of a passkey is noted, and lifts a suspension.

    Denied: WRONG_SECOND_FACTOR, if the passkey may be a copy, or was used or removed meanwhile.
    """
    if burnt.passkey is None or burnt.asserted is None:
        return burnt.proof or WRONG
    proof = await note_assertion(
        tx, burnt.passkey, burnt.asserted, origin, keyring=judges.keyring, policy=judges.policy, now=now
    )
    if isinstance(proof, Denied):
        return WRONG
    await tx.counters.forgive([hit.key for hit in _passkey_hits(origin, judges)])
    await lift_suspension(tx, account.number, keyring=judges.keyring)
    return proof


async def note_wrong(
    tx: WriteTx, account: Account, given: FactorProof, origin: Origin, *, judges: Judges, now: Instant
) -> None:
    """Audit a wrong proof that was not counted by account: a passkey, or a factor that does not count here."""
    known = {*Factor, *judges.factor_kinds.names}
    reason = given.factor if given.factor in known else "unknown"
    await tx.audit.append(event_of(Tag.STEP_FAILED, origin, now, account=account.number, reason=reason))


async def _burn_passkey(
    tx: WriteTx, account: Account, given: FactorProof, asked: Asked, origin: Origin, *, judges: Judges, now: Instant
) -> Burnt | Denied:
    await tx.counters.hit(_passkey_hits(origin, judges), now)
    found = await burn_assertion(
        tx,
        given.credential or {},
        asked.ceremony,
        asked.bound_to,
        origin,
        account_number=account.number,
        keyring=judges.keyring,
        policy=judges.policy,
        passkey_judge=judges.passkey_judge,
        now=now,
    )
    if isinstance(found, Denied):
        await note_wrong(tx, account, given, origin, judges=judges, now=now)
        if found.code is not ProblemCode.CHALLENGE_EXPIRED:
            return WRONG
        # A page that lay open for long is no guess.
        await tx.counters.forgive([hit.key for hit in _passkey_hits(origin, judges)])
        return found
    return Burnt(given.factor, passkey=found)


async def _burn_code(
    tx: WriteTx, account: Account, given: FactorProof, origin: Origin, *, judges: Judges, now: Instant
) -> Burnt | Denied:
    keyring, policy, number = judges.keyring, judges.policy, account.number
    of_app = given.factor not in {Factor.SMS, Factor.RECOVERY}
    if of_app and await is_totp_suspended(tx, number, keyring=keyring, policy=policy, now=now):
        return SUSPENDED
    if paused := await count_code(tx, number, keyring=keyring, policy=policy, now=now):
        return paused
    if given.factor == Factor.SMS:
        proof = await _burn_sms(tx, account, given.code, origin, judges=judges, now=now)
    elif given.factor == Factor.RECOVERY:
        proof = await _burn_recovery(tx, account, given.code, origin, judges=judges, now=now)
    else:
        proof = await _burn_plugin(tx, account, given, judges=judges, now=now)
    if isinstance(proof, Denied):
        await refund_code(tx, number, keyring=keyring)
        return proof
    if proof is None:
        await wrong_code(tx, number, given.factor, origin, keyring=keyring, policy=policy, now=now)
        return WRONG
    lifts = given.factor == Factor.RECOVERY
    await right_code(tx, number, keyring=keyring, policy=policy, now=now, lifts=lifts)
    return Burnt(given.factor, proof)


async def _burn_plugin(
    tx: WriteTx, account: Account, given: FactorProof, *, judges: Judges, now: Instant
) -> Proof | None:
    """Let the plug-in judge, and keep its new counter. A counter that is kept already makes the proof wrong."""
    kind = given.factor
    plugin, stored = judges.factor_kinds.find(kind), await tx.factors.find(account.number, kind)
    if plugin is None or stored is None or not stored.sealed:
        return None
    try:
        secret = judges.sealer.open_for((str(account.number), kind), stored.sealed)
    except SealBroken:
        # A row that was swapped or damaged proves nothing. (docs/security/attacks.md LG-3.)
        return None
    judged = plugin.prove(Enrolled(secret, stored.counter), given.code, Challenge(), now)
    if not isinstance(judged, Proved):
        return None
    kept = await tx.factors.advance(account.number, kind, stored.sealed, counter=judged.enrolled.counter, now=now)
    return proof_of(plugin) if kept else None


async def _burn_recovery(
    tx: WriteTx, account: Account, typed: str, origin: Origin, *, judges: Judges, now: Instant
) -> Proof | None:
    """Spend a recovery code, and tell the owner how many are left."""
    code = read_code(typed)
    number = account.number
    if code is None or not await tx.recovery_codes.spend(number, mac_of(judges.keyring, number, code), now):
        return None
    left = str(await tx.recovery_codes.left(number))
    await tx.audit.append(event_of(Tag.RECOVERY_USED, origin, now, account=number, reason=left))
    await notify(
        tx,
        account.proved,
        Template.RECOVERY_USED,
        now,
        origin=origin,
        keyring=judges.keyring,
        policy=judges.policy,
        detail=left,
        act=SecurityAct(number),
    )
    return BY_MAIL


async def _burn_sms(
    tx: WriteTx, account: Account, code: str, origin: Origin, *, judges: Judges, now: Instant
) -> Proof | Denied | None:
    """Spend a code that was sent to the proved phone for a ticket. Denied: TOO_MANY_REQUESTS."""
    if not account.phone or not account.phone_verified:
        return None
    key = code_key(origin, Purpose.STEP, account.phone)
    refusal = await try_code(tx, key, code, origin, keyring=judges.keyring, policy=judges.policy, now=now)
    if refusal is None:
        return BY_SMS
    return refusal if refusal.code is ProblemCode.TOO_MANY_REQUESTS else None


def _passkey_hits(origin: Origin, judges: Judges) -> list[Hit]:
    limits, key = judges.policy.limits, judges.keyring.counter_key
    return [
        Hit(
            key(Tally.PASSKEY_NETWORK, scale.network),
            limits.step_window,
            limits.passkey_tries_per_network * scale.factor,
        )
        for scale in origin.networks
    ]
