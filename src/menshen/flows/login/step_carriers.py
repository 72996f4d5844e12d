"""Get ready for a second step: the options of a passkey, and a code by SMS. (docs/contracts/factors.md section 11.)"""

from __future__ import annotations

from menshen.core.factors.outcomes import CodeSent
from menshen.core.factors.passkeys import PublicKeyOptions
from menshen.core.keys import Keyring
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.store.store import Store
from menshen.ports.world import World


@use_case(FlowKind.LOOKUP, {ProblemCode.TICKET_INVALID})
async def step_options(
    ticket: str, origin: Origin, *, store: Store, world: World, keyring: Keyring, policy: Policy
) -> PublicKeyOptions | Denied:
    """Return the request options for the passkeys of a pending login. Denied: TICKET_INVALID."""
    raise NotImplementedError


@use_case(
    FlowKind.CODE_SENT,
    {ProblemCode.TICKET_INVALID, ProblemCode.TOO_MANY_REQUESTS, ProblemCode.FORBIDDEN, ProblemCode.COUNTRY_NOT_ALLOWED},
)
async def send_step_code(
    ticket: str, origin: Origin, *, store: Store, world: World, keyring: Keyring, policy: Policy
) -> CodeSent | Denied:
    """Send a code to the proved phone of a pending login: as its second step, or to allow its enrolment.

    Denied: TICKET_INVALID, TOO_MANY_REQUESTS, FORBIDDEN (the app allows no SMS as a step, or an SMS was the first
    proof).
    """
    raise NotImplementedError
