"""Enrol and remove the factors of plug-ins, such as codes of an app. (docs/contracts/factors.md sections 5 and 10.)"""

from __future__ import annotations

from menshen.core.factors.asks import Enrolment
from menshen.core.factors.outcomes import Begun, Enrolled
from menshen.core.gates.members import FACTOR_CHANGES
from menshen.core.keys import Keyring
from menshen.core.outcomes import ActionOutcome
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.flows.factors.kinds import FactorKinds
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.sealing import Sealer
from menshen.ports.store.store import Store
from menshen.ports.world import World


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
async def begin_factor(
    kind: str,
    caller: Authenticated,
    origin: Origin,
    *,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
    sealer: Sealer,
    factor_kinds: FactorKinds,
) -> Begun | Denied:
    """Begin to enrol a factor, for 10 minutes.

    Denied: PROOF_REQUIRED, NOT_FOUND (no such kind), FORBIDDEN (by the app).
    """
    raise NotImplementedError


@use_case(
    FlowKind.CHANGE,
    {
        ProblemCode.WRONG_SECOND_FACTOR,
        ProblemCode.NOT_FOUND,
        ProblemCode.PROOF_REQUIRED,
        ProblemCode.UNAUTHENTICATED,
        ProblemCode.TOO_MANY_REQUESTS,
    },
)
async def confirm_factor(
    ask: Enrolment,
    caller: Authenticated,
    origin: Origin,
    *,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
    sealer: Sealer,
    factor_kinds: FactorKinds,
) -> Enrolled | Denied:
    """Confirm a begun factor by its first proof, which is used up by it. The first factor comes with recovery codes."""
    raise NotImplementedError


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
async def remove_factor(
    kind: str, caller: Authenticated, origin: Origin, *, store: Store, world: World, keyring: Keyring, policy: Policy
) -> ActionOutcome:
    """Remove a factor. Denied: PROOF_REQUIRED, NOT_FOUND, FORBIDDEN (the last one that a role requires, or the last way in)."""
    raise NotImplementedError
