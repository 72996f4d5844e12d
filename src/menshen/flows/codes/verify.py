"""Verify a code in one call, and consume it in a later one. (docs/contracts/careyshop.md section 5.8.)"""

from __future__ import annotations

from menshen.core.audit.events import Tag
from menshen.core.codes.asks import CodeTry
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.identifiers import identifier_of
from menshen.core.keys import Keyring
from menshen.core.outcomes import ActionOutcome, Done
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.flows.audit.recording import event_of
from menshen.flows.codes.attempts import CODE_REFUSALS, code_key, try_code, verified_by
from menshen.flows.codes.claims import drop_claims
from menshen.flows.gates.holding import hold_caller
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.store.accounts import AlreadyTaken
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World


@use_case(FlowKind.CODE_VERIFIED, CODE_REFUSALS | {ProblemCode.CODE_EXPIRED}, deny_list=True, device_rule=True)
async def verify_code(
    ask: CodeTry, origin: Origin, *, store: Store, world: World, keyring: Keyring, policy: Policy
) -> ActionOutcome:
    """Mark the code as verified, if it is correct.

    Denied: WRONG_CODE, CODE_EXPIRED (spent, expired, or out of tries), TOO_MANY_REQUESTS.
    """
    now = world.now()
    key = code_key(origin, ask.purpose, ask.subject)

    async def work(tx: WriteTx) -> Denied | None:
        refusal = await try_code(tx, key, ask.code, origin, keyring=keyring, policy=policy, now=now, mark_verified=True)
        if refusal is None:
            await tx.audit.append(event_of(Tag.CODE_VERIFIED, origin, now, subject=ask.subject))
        return refusal

    return await store.write(work) or Done()


@use_case(
    FlowKind.CODE_VERIFIED,
    {ProblemCode.CODE_EXPIRED, ProblemCode.FORBIDDEN, ProblemCode.ALREADY_TAKEN, ProblemCode.UNAUTHENTICATED},
    deny_list=True,
    device_rule=True,
)
async def use_code(
    subject: str, caller: Authenticated | None, origin: Origin, *, store: Store, world: World
) -> ActionOutcome:
    """Consume the verified code of `subject` (E.164 or address), once, from the network that verified it.

    With a caller, `subject` must be the caller's own, and is marked as verified. Denied: CODE_EXPIRED if there is no
    verified code, FORBIDDEN if `subject` is not the caller's own, ALREADY_TAKEN if another account verified it before.

    Raises:
        Problem: UNAUTHENTICATED, if the caller's session ended meanwhile.
    """
    now = world.now()
    identifier = identifier_of(subject)
    if caller is not None and subject not in {caller.account.phone, caller.account.email}:
        return Denied(ProblemCode.FORBIDDEN)

    async def work(tx: WriteTx) -> ActionOutcome:
        present = await hold_caller(tx, caller) if caller else None
        if not await tx.codes.consume(code_key(origin, Purpose.VERIFY, subject), now, by=verified_by(origin)):
            return Denied(ProblemCode.CODE_EXPIRED)
        if present is not None:
            number = present.number
            owner = await tx.accounts.find_owner(identifier)
            if owner is not None and owner.number != number:
                return Denied(ProblemCode.ALREADY_TAKEN, field=identifier.kind.value)
            if subject not in {present.phone, present.email}:
                return Denied(ProblemCode.FORBIDDEN)
            await drop_claims(tx, identifier, origin, now, owner=number)
            await tx.accounts.set_identifier(number, identifier.kind, subject, now=now)
            await tx.audit.append(
                event_of(Tag.IDENTIFIER_BOUND, origin, now, account=number, subject=subject, reason="verified")
            )
        return Done()

    try:
        return await store.write(work)
    except AlreadyTaken as taken:
        return Denied(ProblemCode.ALREADY_TAKEN, field=taken.field)
