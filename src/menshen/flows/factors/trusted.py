"""End trusted devices. (docs/contracts/factors.md section 8.)"""

from __future__ import annotations

from menshen.core.audit.events import Tag
from menshen.core.factors.freshness import has_fresh_proof
from menshen.core.gates.members import SESSION_CALLS
from menshen.core.outcomes import ActionOutcome, Done
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.flows.audit.recording import event_of
from menshen.flows.gates.holding import hold_caller
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World

_BY_OWNER = "ended_by_owner"


@use_case(
    FlowKind.CHANGE,
    {ProblemCode.NOT_FOUND, ProblemCode.PROOF_REQUIRED, ProblemCode.UNAUTHENTICATED},
    quota=SESSION_CALLS,
)
async def end_trusted(
    trust_id: str, caller: Authenticated, origin: Origin, *, store: Store, world: World
) -> ActionOutcome:
    """End one trusted device of the caller. Those of other accounts are not found. Denied: PROOF_REQUIRED, NOT_FOUND.

    Raises:
        Problem: UNAUTHENTICATED, if the caller's session ended meanwhile.
    """
    now = world.now()

    async def work(tx: WriteTx) -> ActionOutcome:
        account = await hold_caller(tx, caller)
        if not has_fresh_proof(account, caller.session, origin.app, now):
            return Denied(ProblemCode.PROOF_REQUIRED)
        if not await tx.trusted_devices.end(trust_id, account.number):
            return Denied(ProblemCode.NOT_FOUND)
        await tx.audit.append(event_of(Tag.TRUST_REVOKED, origin, now, account=account.number, reason=_BY_OWNER))
        return Done()

    return await store.write(work)


@use_case(FlowKind.CHANGE, {ProblemCode.PROOF_REQUIRED, ProblemCode.UNAUTHENTICATED}, quota=SESSION_CALLS)
async def end_all_trusted(caller: Authenticated, origin: Origin, *, store: Store, world: World) -> ActionOutcome:
    """End all trusted devices of the caller, each with its event. Denied: PROOF_REQUIRED.

    Raises:
        Problem: UNAUTHENTICATED, if the caller's session ended meanwhile.
    """
    now = world.now()

    async def work(tx: WriteTx) -> ActionOutcome:
        account = await hold_caller(tx, caller)
        if not has_fresh_proof(account, caller.session, origin.app, now):
            return Denied(ProblemCode.PROOF_REQUIRED)
        ended = await tx.trusted_devices.end_all(account.number)
        event = event_of(Tag.TRUST_REVOKED, origin, now, account=account.number, reason=_BY_OWNER)
        await tx.audit.append_all([event] * ended)
        return Done()

    return await store.write(work)
