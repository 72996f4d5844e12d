"""Make recovery codes, and turn the second step on and off: POST /users/recovery_codes, PUT /users/second_step.

(docs/contracts/factors.md sections 7 and 11.)
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from menshen.core.factors.asks import StepSwitch
from menshen.core.factors.outcomes import RecoveryCodes
from menshen.core.outcomes import Done
from menshen.core.problems import Denied
from menshen.wire.weidu import decode
from menshen.wire.weidu.call import PrivateCall
from menshen.wire.weidu.calls.factors.totp import RecoveryCodesAnswer
from menshen.wire.weidu.decode import NoBody
from menshen.wire.weidu.envelope import Reply, ok


class SecondStepSwitchRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take on or off. Turning it on needs a recovery code, which stays unused, or the owner's word."""

    on: bool
    recovery_code: decode.MaybeFactorCode = ""
    confirmed: Annotated[bool, Meta(description="The owner says that the recovery codes are kept.")] = False


async def post(call: PrivateCall, body: NoBody) -> Reply:
    """Make ten new recovery codes. The old ones are void."""
    match await call.flows.factors.make_recovery_codes(call.caller, call.origin):
        case Denied() as denied:
            return await call.refuse(denied)
        case RecoveryCodes(codes=codes):
            return ok(RecoveryCodesAnswer(recovery_codes=list(codes)))


async def put_second_step(call: PrivateCall, body: SecondStepSwitchRequest) -> Reply:
    """Turn the second step on or off."""
    ask = StepSwitch(body.on, body.recovery_code, body.confirmed)
    match await call.flows.factors.switch_second_step(ask, call.caller, call.origin):
        case Denied() as denied:
            return await call.refuse(denied)
        case Done():
            return ok()
