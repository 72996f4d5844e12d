"""Enrol a factor at a login that must have one: its ticket opens these calls and no other. (docs/contracts/factors.md section 3.)"""

from __future__ import annotations

from menshen.core.factors.asks import Enrolment, NewPasskey
from menshen.core.factors.outcomes import Begun
from menshen.core.factors.passkeys import PublicKeyOptions
from menshen.core.keys import Keyring
from menshen.core.login.outcomes import LoginOutcome
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.flows.factors.kinds import FactorKinds
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.passkeys import PasskeyJudge
from menshen.ports.sealing import Sealer
from menshen.ports.store.store import Store
from menshen.ports.world import World


@use_case(
    FlowKind.CHANGE,
    {
        ProblemCode.TICKET_INVALID,
        ProblemCode.WRONG_CODE,
        ProblemCode.PROOF_REQUIRED,
        ProblemCode.NOT_FOUND,
        ProblemCode.FORBIDDEN,
        ProblemCode.TOO_MANY_REQUESTS,
    },
)
async def begin_by_ticket(
    kind: str,
    ticket: str,
    sms_code: str,
    origin: Origin,
    *,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
    sealer: Sealer,
    factor_kinds: FactorKinds,
) -> Begun | Denied:
    """Begin to enrol a factor. `sms_code` allows it where the first proof was a password and the phone is proved.

    Denied: TICKET_INVALID, PROOF_REQUIRED (a code by SMS is due), WRONG_CODE, NOT_FOUND, FORBIDDEN.
    """
    raise NotImplementedError


@use_case(
    FlowKind.LOGIN,
    {
        ProblemCode.TICKET_INVALID,
        ProblemCode.WRONG_SECOND_FACTOR,
        ProblemCode.PROOF_REQUIRED,
        ProblemCode.NOT_FOUND,
        ProblemCode.TOO_MANY_REQUESTS,
    },
    method="enrolment",
    deny_list=True,
)
async def confirm_by_ticket(
    ask: Enrolment,
    ticket: str,
    origin: Origin,
    *,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
    sealer: Sealer,
    factor_kinds: FactorKinds,
) -> LoginOutcome:
    """Confirm the factor, and complete the login. Its answer has the recovery codes, once."""
    raise NotImplementedError


@use_case(
    FlowKind.LOOKUP,
    {
        ProblemCode.TICKET_INVALID,
        ProblemCode.WRONG_CODE,
        ProblemCode.PROOF_REQUIRED,
        ProblemCode.NOT_FOUND,
        ProblemCode.FORBIDDEN,
        ProblemCode.TOO_MANY_REQUESTS,
    },
)
async def passkey_options_by_ticket(
    ticket: str, sms_code: str, origin: Origin, *, store: Store, world: World, keyring: Keyring, policy: Policy
) -> PublicKeyOptions | Denied:
    """Return the creation options. `sms_code` and Denied: as `begin_by_ticket`."""
    raise NotImplementedError


@use_case(
    FlowKind.LOGIN,
    {
        ProblemCode.TICKET_INVALID,
        ProblemCode.WRONG_PASSKEY,
        ProblemCode.CHALLENGE_EXPIRED,
        ProblemCode.ALREADY_TAKEN,
        ProblemCode.PROOF_REQUIRED,
        ProblemCode.FORBIDDEN,
        ProblemCode.TOO_MANY_REQUESTS,
        ProblemCode.INVALID_REQUEST,
    },
    method="enrolment",
    deny_list=True,
)
async def add_passkey_by_ticket(
    ask: NewPasskey,
    ticket: str,
    origin: Origin,
    *,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
    passkey_judge: PasskeyJudge,
) -> LoginOutcome:
    """Register a passkey, and complete the login. Its answer has the recovery codes, once."""
    raise NotImplementedError
