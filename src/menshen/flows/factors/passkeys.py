"""Register, rename and remove passkeys in a session. (docs/contracts/factors.md sections 6 and 10.)"""

from __future__ import annotations

from menshen.core.factors.asks import NewPasskey
from menshen.core.factors.outcomes import Enrolled
from menshen.core.factors.passkeys import PublicKeyOptions
from menshen.core.gates.members import FACTOR_CHANGES, SESSION_CALLS
from menshen.core.keys import Keyring
from menshen.core.outcomes import ActionOutcome
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.passkeys import PasskeyJudge
from menshen.ports.store.store import Store
from menshen.ports.world import World


@use_case(
    FlowKind.LOOKUP,
    {ProblemCode.PROOF_REQUIRED, ProblemCode.FORBIDDEN, ProblemCode.UNAUTHENTICATED, ProblemCode.TOO_MANY_REQUESTS},
)
async def new_passkey_options(
    caller: Authenticated, origin: Origin, *, store: Store, world: World, keyring: Keyring, policy: Policy
) -> PublicKeyOptions | Denied:
    """Return the creation options. Denied: PROOF_REQUIRED, FORBIDDEN (by the app, or 20 passkeys)."""
    raise NotImplementedError


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
    """Register a passkey. The first factor comes with recovery codes. Denied: as its code names."""
    raise NotImplementedError


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
    """Rename a passkey of the caller."""
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
    """Remove a passkey of the caller. Denied: as `remove_factor`."""
    raise NotImplementedError
