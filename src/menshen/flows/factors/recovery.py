"""Make recovery codes, and turn the second step on and off. (docs/contracts/factors.md section 7.)"""

from __future__ import annotations

from menshen.core.factors.asks import StepSwitch
from menshen.core.factors.outcomes import RecoveryCodes
from menshen.core.gates.members import FACTOR_CHANGES
from menshen.core.keys import Keyring
from menshen.core.outcomes import ActionOutcome
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.store.store import Store
from menshen.ports.world import World


@use_case(
    FlowKind.CHANGE,
    {ProblemCode.PROOF_REQUIRED, ProblemCode.FORBIDDEN, ProblemCode.UNAUTHENTICATED, ProblemCode.TOO_MANY_REQUESTS},
    quota=FACTOR_CHANGES,
)
async def make_recovery_codes(
    caller: Authenticated, origin: Origin, *, store: Store, world: World, keyring: Keyring, policy: Policy
) -> RecoveryCodes | Denied:
    """Make a new set of ten codes in place of the old one. Denied: PROOF_REQUIRED, FORBIDDEN (the account has no factor)."""
    raise NotImplementedError


@use_case(
    FlowKind.CHANGE,
    {
        ProblemCode.PROOF_REQUIRED,
        ProblemCode.FORBIDDEN,
        ProblemCode.WRONG_SECOND_FACTOR,
        ProblemCode.UNAUTHENTICATED,
        ProblemCode.TOO_MANY_REQUESTS,
    },
    quota=FACTOR_CHANGES,
)
async def switch_second_step(
    ask: StepSwitch,
    caller: Authenticated,
    origin: Origin,
    *,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
) -> ActionOutcome:
    """Turn the second step on or off. Turning it on takes a recovery code typed back, which stays unused, or the owner’s word."""
    raise NotImplementedError
