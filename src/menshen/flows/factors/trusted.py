"""End trusted devices. (docs/contracts/factors.md section 8.)"""

from __future__ import annotations

from menshen.core.gates.members import SESSION_CALLS
from menshen.core.outcomes import ActionOutcome
from menshen.core.problems import ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.store.store import Store
from menshen.ports.world import World


@use_case(FlowKind.CHANGE, {ProblemCode.NOT_FOUND, ProblemCode.UNAUTHENTICATED}, quota=SESSION_CALLS)
async def end_trusted(
    trust_id: str, caller: Authenticated, origin: Origin, *, store: Store, world: World
) -> ActionOutcome:
    """End one trusted device of the caller."""
    raise NotImplementedError


@use_case(FlowKind.CHANGE, {ProblemCode.UNAUTHENTICATED}, quota=SESSION_CALLS)
async def end_all_trusted(caller: Authenticated, origin: Origin, *, store: Store, world: World) -> ActionOutcome:
    """End all trusted devices of the caller."""
    raise NotImplementedError
