"""Show people what their account has beside its first proof."""

from __future__ import annotations

from menshen.core.factors.outcomes import FactorList
from menshen.core.gates.members import SESSION_CALLS
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.flows.factors.kinds import FactorKinds
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.store.store import Store
from menshen.ports.world import World


@use_case(FlowKind.LOOKUP, {ProblemCode.UNAUTHENTICATED}, quota=SESSION_CALLS)
async def list_factors(
    caller: Authenticated, origin: Origin, *, store: Store, world: World, factor_kinds: FactorKinds
) -> FactorList | Denied:
    """List the factors, passkeys, recovery codes and trusted devices of the caller. Nothing secret is in it."""
    raise NotImplementedError
