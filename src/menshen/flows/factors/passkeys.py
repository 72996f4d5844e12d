"""Register, rename and remove passkeys in a session. (docs/contracts/factors.md sections 6 and 10.)"""

from __future__ import annotations

from menshen.core.account.accounts import Account
from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import Template
from menshen.core.factors.asks import NewPasskey
from menshen.core.factors.challenges import RANDOM_BYTES
from menshen.core.factors.enrolment import allows
from menshen.core.factors.outcomes import Enrolled
from menshen.core.factors.passkeys import HANDLE_BYTES, MOST, Asserted, PublicKeyOptions, proof_by
from menshen.core.factors.proofs import Factor
from menshen.core.gates.members import FACTOR_CHANGES, SESSION_CALLS
from menshen.core.keys import Keyring
from menshen.core.outcomes import ActionOutcome, Done
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.time import Instant
from menshen.core.tokens import TOKEN_BYTES, base32
from menshen.flows.factors.changing import finish_change, remove_one
from menshen.flows.factors.first_factor import codes_of_first_factor, draw_codes
from menshen.flows.factors.registering import attest, burn_registration, creation_options, keep_passkey, typed_name
from menshen.flows.gates.holding import hold_to_change
from menshen.flows.gates.member_quotas import charge_member
from menshen.flows.proofs.kinds import proof_in
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.passkeys import PasskeyJudge
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World


@use_case(
    FlowKind.LOOKUP,
    {ProblemCode.PROOF_REQUIRED, ProblemCode.FORBIDDEN, ProblemCode.UNAUTHENTICATED, ProblemCode.TOO_MANY_REQUESTS},
    quota=SESSION_CALLS,
)
async def new_passkey_options(
    caller: Authenticated, origin: Origin, *, store: Store, world: World, keyring: Keyring, policy: Policy
) -> PublicKeyOptions | Denied:
    """Return the creation options. Denied: PROOF_REQUIRED, FORBIDDEN (by the app, or 20 passkeys).

    The first call gives the account its user handle.

    Raises:
        Problem: UNAUTHENTICATED, if the caller's session ended meanwhile.
    """
    now = world.now()
    handle, chance = world.token_bytes(HANDLE_BYTES), world.token_bytes(RANDOM_BYTES)

    async def work(tx: WriteTx) -> PublicKeyOptions | Denied:
        account = await _hold_enroller(tx, caller, origin, now)
        if isinstance(account, Denied):
            return account
        existing = await tx.passkeys.list_of(account.number)
        if len(existing) >= MOST:
            return Denied(ProblemCode.FORBIDDEN)
        return creation_options(
            account,
            await tx.passkeys.keep_handle(account.number, handle),
            existing,
            caller.session.session_id,
            origin,
            keyring=keyring,
            policy=policy,
            chance=chance,
            now=now,
        )

    return await store.write(work)


@use_case(
    FlowKind.CHANGE,
    {
        ProblemCode.WRONG_PASSKEY,
        ProblemCode.CHALLENGE_EXPIRED,
        ProblemCode.ALREADY_TAKEN,
        ProblemCode.PROOF_REQUIRED,
        ProblemCode.FORBIDDEN,
        ProblemCode.UNAUTHENTICATED,
        ProblemCode.TOO_MANY_REQUESTS,
        ProblemCode.INVALID_REQUEST,
    },
    quota=FACTOR_CHANGES,
)
async def add_passkey(
    ask: NewPasskey,
    caller: Authenticated,
    origin: Origin,
    *,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
    passkey_judge: PasskeyJudge,
) -> Enrolled | Denied:
    """Register a passkey. The first factor comes with recovery codes. Denied: as its code names.

    All other sessions end, and the owner is notified. The session reaches level 2 if the key verified its user.

    Raises:
        Problem: UNAUTHENTICATED, if the caller's session ended meanwhile.
    """
    now, session = world.now(), caller.session
    name = typed_name(ask.name)
    if isinstance(name, Denied):
        return name

    async def spend(tx: WriteTx) -> bytes | Denied:
        account = await _hold_enroller(tx, caller, origin, now)
        if isinstance(account, Denied):
            return account
        if refusal := await charge_member(tx, FACTOR_CHANGES, caller, keyring=keyring, policy=policy, now=now):
            return refusal
        return await burn_registration(
            tx,
            ask.credential,
            session.session_id,
            origin,
            keyring=keyring,
            policy=policy,
            passkey_judge=passkey_judge,
            now=now,
        )

    challenge = await store.write(spend)
    if isinstance(challenge, Denied):
        return challenge
    await passkey_judge.get_ready()
    attested = attest(ask.credential, challenge, origin, policy=policy, passkey_judge=passkey_judge)
    if attested is None:
        return Denied(ProblemCode.WRONG_PASSKEY)
    passkey_id, codes = base32(world.token_bytes(TOKEN_BYTES)), draw_codes(world)

    async def keep(tx: WriteTx) -> Enrolled | Denied:
        account = await _hold_enroller(tx, caller, origin, now)
        if isinstance(account, Denied):
            return account
        first = await codes_of_first_factor(tx, account.number, codes, keyring=keyring, now=now)
        kept = await keep_passkey(tx, account, attested, name, passkey_id=passkey_id, now=now)
        if isinstance(kept, Denied):
            if first:
                await tx.recovery_codes.remove_all(account.number)
            return kept
        if attested.verified_user:
            asserted = Asserted(attested.counter, attested.synced, attested.backed_up, attested.verified_user)
            reached = proof_in(session).joined(proof_by(kept, asserted))
            await tx.sessions.prove_twice(session.session_id, now, level=reached.level, methods=str(reached))
        await finish_change(
            tx,
            account,
            origin,
            Tag.FACTOR_ADDED,
            Template.FACTOR_ADDED,
            keyring=keyring,
            policy=policy,
            now=now,
            reason=Factor.PASSKEY,
            keep_session=session.session_id,
        )
        return Enrolled(kept, first)

    return await store.write(keep)


@use_case(
    FlowKind.CHANGE,
    {ProblemCode.NOT_FOUND, ProblemCode.PROOF_REQUIRED, ProblemCode.INVALID_REQUEST, ProblemCode.UNAUTHENTICATED},
    quota=SESSION_CALLS,
)
async def rename_passkey(
    passkey_id: str,
    name: str,
    caller: Authenticated,
    origin: Origin,
    *,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
) -> ActionOutcome:
    """Rename a passkey of the caller. It is a change of factors as each other one, but sends no notice.

    Raises:
        Problem: UNAUTHENTICATED, if the caller's session ended meanwhile.
    """
    now = world.now()
    kept = typed_name(name)
    if isinstance(kept, Denied) or not kept:
        return Denied(ProblemCode.INVALID_REQUEST, field="name")

    async def work(tx: WriteTx) -> ActionOutcome:
        account = await hold_to_change(tx, caller, origin, now)
        if isinstance(account, Denied):
            return account
        if not await tx.passkeys.rename(passkey_id, account.number, kept):
            return Denied(ProblemCode.NOT_FOUND)
        await finish_change(
            tx,
            account,
            origin,
            Tag.FACTOR_RENAMED,
            None,
            keyring=keyring,
            policy=policy,
            now=now,
            reason=Factor.PASSKEY,
            keep_session=caller.session.session_id,
        )
        return Done()

    return await store.write(work)


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
async def remove_passkey(
    passkey_id: str,
    caller: Authenticated,
    origin: Origin,
    *,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
) -> ActionOutcome:
    """Remove a passkey of the caller. Denied: as `remove_factor`.

    With the last factor, the second step of the account is turned off, and its recovery codes go.

    Raises:
        Problem: UNAUTHENTICATED, if the caller's session ended meanwhile.
    """
    now = world.now()

    async def work(tx: WriteTx) -> ActionOutcome:
        account = await hold_to_change(tx, caller, origin, now)
        if isinstance(account, Denied):
            return account
        passkeys = await tx.passkeys.list_of(account.number)
        left = [passkey for passkey in passkeys if passkey.passkey_id != passkey_id]
        if len(left) == len(passkeys):
            return Denied(ProblemCode.NOT_FOUND)
        others = sum(stored.sealed != b"" for stored in await tx.factors.list_of(account.number))
        return await remove_one(
            tx,
            account,
            lambda: tx.passkeys.remove(passkey_id, account.number),
            caller,
            origin,
            kind=Factor.PASSKEY,
            factors_left=len(left) + others,
            logins_left=sum(not passkey.step_only for passkey in left),
            keyring=keyring,
            policy=policy,
            now=now,
        )

    return await store.write(work)


async def _hold_enroller(tx: WriteTx, caller: Authenticated, origin: Origin, now: Instant) -> Account | Denied:
    """Lock the caller as `hold_to_change`. Denied also: FORBIDDEN, where the app has no enrolment of passkeys."""
    account = await hold_to_change(tx, caller, origin, now)
    return (
        account if isinstance(account, Denied) or allows(origin.app, Factor.PASSKEY) else Denied(ProblemCode.FORBIDDEN)
    )
