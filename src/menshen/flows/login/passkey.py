"""Log in with a passkey, without a name. (docs/contracts/factors.md section 6.)"""

from __future__ import annotations

from menshen.core.factors.asks import PasskeyLogin
from menshen.core.factors.passkeys import PublicKeyOptions
from menshen.core.keys import Keyring
from menshen.core.login.outcomes import LoginOutcome
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.flows.gates.captcha import CAPTCHA_REFUSALS
from menshen.flows.gates.device_signs import SIGN_REFUSALS
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.passkeys import PasskeyJudge
from menshen.ports.store.store import Store
from menshen.ports.world import World


@use_case(FlowKind.LOOKUP)
async def passkey_options(
    origin: Origin, *, world: World, keyring: Keyring, policy: Policy
) -> PublicKeyOptions | Denied:
    """Return the request options of a discoverable login. No row is written."""
    raise NotImplementedError


@use_case(
    FlowKind.LOGIN,
    CAPTCHA_REFUSALS
    | SIGN_REFUSALS
    | {
        ProblemCode.WRONG_PASSKEY,
        ProblemCode.PASSKEY_UNKNOWN,
        ProblemCode.CHALLENGE_EXPIRED,
        ProblemCode.TOO_MANY_REQUESTS,
    },
    method="passkey",
    deny_list=True,
    device_rule=True,
)
async def login_passkey(
    ask: PasskeyLogin,
    origin: Origin,
    *,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
    passkey_judge: PasskeyJudge,
) -> LoginOutcome:
    """Judge the answer of a passkey, and open a session of level 2.

    Denied: WRONG_PASSKEY, PASSKEY_UNKNOWN (no account has this credential), CHALLENGE_EXPIRED, CAPTCHA_REQUIRED after
    many wrong ones of a network.
    """
    raise NotImplementedError
