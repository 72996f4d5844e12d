"""Complete a pending login by a second step. (docs/contracts/factors.md sections 2 to 5.)"""

from __future__ import annotations

from menshen.core.factors.asks import SecondStep
from menshen.core.keys import Keyring
from menshen.core.login.outcomes import LoginOutcome
from menshen.core.policy import Policy
from menshen.core.problems import ProblemCode
from menshen.core.rules import Origin
from menshen.flows.factors.kinds import FactorKinds
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.passkeys import PasskeyJudge
from menshen.ports.sealing import Sealer
from menshen.ports.store.store import Store
from menshen.ports.world import World


@use_case(
    FlowKind.LOGIN,
    {
        ProblemCode.WRONG_SECOND_FACTOR,
        ProblemCode.TICKET_INVALID,
        ProblemCode.TOO_MANY_REQUESTS,
        ProblemCode.CHALLENGE_EXPIRED,
        ProblemCode.ACCOUNT_DISABLED,
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
    keyring: Keyring,
    policy: Policy,
    sealer: Sealer,
    factor_kinds: FactorKinds,
    passkey_judge: PasskeyJudge,
) -> LoginOutcome:
    """Judge a step, and open the session of the login that began.

    Denied: TICKET_INVALID (unknown, dead, of another app, dialect, device or browser: one answer), WRONG_SECOND_FACTOR
    with `tries_left`, TOO_MANY_REQUESTS, CHALLENGE_EXPIRED (a passkey answered an old challenge).
    """
    raise NotImplementedError
