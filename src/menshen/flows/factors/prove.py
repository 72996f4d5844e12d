"""Prove identity again in a session, before a change. (docs/contracts/factors.md section 8.)"""

from __future__ import annotations

from menshen.core.factors.asks import IdentityProof
from menshen.core.factors.passkeys import PublicKeyOptions
from menshen.core.keys import Keyring
from menshen.core.outcomes import ActionOutcome
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.flows.codes.attempts import CODE_REFUSALS
from menshen.flows.factors.kinds import FactorKinds
from menshen.flows.gates.concurrency import AttemptGate
from menshen.flows.gates.password_attempts import PASSWORD_REFUSALS
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.hashing import PasswordHasher
from menshen.ports.passkeys import PasskeyJudge
from menshen.ports.sealing import Sealer
from menshen.ports.store.store import Store
from menshen.ports.world import World


@use_case(FlowKind.LOOKUP, {ProblemCode.UNAUTHENTICATED})
async def prove_options(
    caller: Authenticated, origin: Origin, *, store: Store, world: World, keyring: Keyring, policy: Policy
) -> PublicKeyOptions | Denied:
    """Return the request options for the passkeys of the caller."""
    raise NotImplementedError


@use_case(
    FlowKind.CHANGE,
    PASSWORD_REFUSALS
    | CODE_REFUSALS
    | {
        ProblemCode.WRONG_SECOND_FACTOR,
        ProblemCode.WRONG_PASSKEY,
        ProblemCode.CHALLENGE_EXPIRED,
        ProblemCode.PROOF_REQUIRED,
        ProblemCode.INVALID_REQUEST,
        ProblemCode.UNAUTHENTICATED,
        ProblemCode.TOO_MANY_REQUESTS,
    },
)
async def prove_identity(
    ask: IdentityProof,
    caller: Authenticated,
    origin: Origin,
    *,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
    sealer: Sealer,
    factor_kinds: FactorKinds,
    passkey_judge: PasskeyJudge,
    hasher: PasswordHasher,
    attempt_gate: AttemptGate,
) -> ActionOutcome:
    """Judge a proof, and note it in the session: changes are then allowed for 10 minutes. A factor raises the level."""
    raise NotImplementedError
