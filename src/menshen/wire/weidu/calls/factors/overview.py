"""Show what an account has beside its first proof, and end trusted devices: /users/factors, /users/trusted_devices.

Nothing here is secret, and an address is shown as its network: a stolen session may list, and nothing else.
(docs/contracts/factors.md sections 8, 10 and 11.)
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from menshen.core.factors.outcomes import EnrolledFactor, FactorList
from menshen.core.factors.trusted_devices import TrustedDevice
from menshen.core.networks import scales_of
from menshen.core.outcomes import ActionOutcome, Done
from menshen.core.problems import Denied
from menshen.wire.weidu import carrier
from menshen.wire.weidu.call import PrivateCall
from menshen.wire.weidu.calls.factors.passkeys import PasskeyInfo, passkey_info
from menshen.wire.weidu.decode import NoBody
from menshen.wire.weidu.envelope import Header, Ok, Reply, ok
from menshen.wire.weidu.records import Millis


class FactorInfo(Struct, frozen=True, kw_only=True):
    """Describe a factor, without its secret."""

    kind: str
    create_at: Millis
    last_used_at: Millis


class TrustedDeviceInfo(Struct, frozen=True, kw_only=True):
    """Describe a device that needs no step after a password. `id` can end it and cannot authenticate."""

    id: str
    name: str
    network: str
    create_at: Millis
    last_used_at: Millis
    expires_at: Millis


class FactorsAnswer(Ok, frozen=True, kw_only=True):
    """Answer all that the account has, and what it may add."""

    second_step: Annotated[bool, Meta(description="The owner asks for a step at each login.")]
    required: Annotated[bool, Meta(description="The app asks this account for two proofs.")]
    allowed: Annotated[list[str], Meta(description="What this app lets people enrol.")]
    level: Annotated[int, Meta(ge=1, le=2, description="The proofs of this session.")]
    prove_with: Annotated[list[str], Meta(description="The methods of POST /users/prove that allow a change.")]
    fresh_until: Annotated[Millis, Meta(description="Until when a change is allowed; 0: prove identity first.")]
    factors: list[FactorInfo]
    passkeys: list[PasskeyInfo]
    recovery_codes_left: Annotated[int, Meta(ge=0)]
    trusted_devices: list[TrustedDeviceInfo]


class TrustedDevicesAnswer(Ok, frozen=True, kw_only=True):
    """Answer the trusted devices of the caller."""

    trusted_devices: list[TrustedDeviceInfo]


async def get(call: PrivateCall, body: NoBody) -> Reply:
    """List the caller's factors, passkeys, recovery codes and trusted devices."""
    match await call.flows.factors.list(call.caller, call.origin):
        case Denied() as denied:
            return await call.refuse(denied)
        case FactorList() as found:
            return ok(
                FactorsAnswer(
                    second_step=found.second_step,
                    required=found.required,
                    allowed=list(found.allowed),
                    level=found.level,
                    prove_with=list(found.prove_with),
                    fresh_until=found.fresh_until,
                    factors=[_factor_info(each) for each in found.factors],
                    passkeys=[passkey_info(each) for each in found.passkeys],
                    recovery_codes_left=found.codes_left,
                    trusted_devices=[_trusted_info(each) for each in found.trusted],
                )
            )


async def get_trusted(call: PrivateCall, body: NoBody) -> Reply:
    """List the caller's trusted devices."""
    match await call.flows.factors.list(call.caller, call.origin):
        case Denied() as denied:
            return await call.refuse(denied)
        case FactorList(trusted=trusted):
            return ok(TrustedDevicesAnswer(trusted_devices=[_trusted_info(each) for each in trusted]))


async def delete_one(call: PrivateCall, body: NoBody) -> Reply:
    """End one trusted device of the caller. Another user's is not found."""
    return await _answer(call, await call.flows.factors.end_trusted(call.resource, call.caller, call.origin))


async def delete_all(call: PrivateCall, body: NoBody) -> Reply:
    """End all trusted devices of the caller, this one too."""
    outcome = await call.flows.factors.end_all_trusted(call.caller, call.origin)
    return await _answer(call, outcome, carrier.forget_trust(call))


async def _answer(call: PrivateCall, outcome: ActionOutcome, headers: tuple[Header, ...] = ()) -> Reply:
    match outcome:
        case Denied() as denied:
            return await call.refuse(denied)
        case Done():
            return ok(headers=headers)


def _factor_info(factor: EnrolledFactor) -> FactorInfo:
    return FactorInfo(kind=factor.kind, create_at=factor.created_at, last_used_at=factor.used_at)


def _trusted_info(device: TrustedDevice) -> TrustedDeviceInfo:
    return TrustedDeviceInfo(
        id=device.trust_id,
        name=device.name,
        network=scales_of(device.ip)[0].network,
        create_at=device.created_at,
        last_used_at=device.used_at,
        expires_at=device.expires_at,
    )
