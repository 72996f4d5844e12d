"""Enrol and remove an authenticator app: POST /users/totp/begin, POST and DELETE /users/totp.

Both POST calls take a session, or the ticket of a login that must enrol: then confirming completes that login.
(docs/contracts/factors.md sections 3, 5 and 11.)
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from menshen.core.factors.asks import Enrolment
from menshen.core.factors.outcomes import Begun, Enrolled
from menshen.core.factors.proofs import Factor
from menshen.core.outcomes import Done
from menshen.core.problems import Denied
from menshen.core.time import seconds_until
from menshen.wire.weidu import decode
from menshen.wire.weidu.call import Call, PrivateCall
from menshen.wire.weidu.decode import NoBody
from menshen.wire.weidu.device import DeviceBody, device_of
from menshen.wire.weidu.envelope import Ok, Reply, ok
from menshen.wire.weidu.logins import answer_login
from menshen.wire.weidu.steps import refuse

KIND: Final = str(Factor.TOTP)


class BeginTotpRequest(DeviceBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take nothing in a session; else a ticket, and the code by SMS that its login asked for."""

    login_ticket: decode.MaybeTicket = ""
    sms_code: decode.MaybeSmsCode = ""


class ConfirmTotpRequest(DeviceBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take the first code that the app shows. It is used up by this."""

    code: decode.FactorCode
    login_ticket: decode.MaybeTicket = ""


class BegunTotpAnswer(Ok, frozen=True, kw_only=True):
    """Answer the secret of a new authenticator, as text and as address for a QR code. It is shown once."""

    secret: str
    uri: str
    expires_in: Annotated[int, Meta(ge=0, description="Seconds to confirm it.")]


class RecoveryCodesAnswer(Ok, frozen=True, kw_only=True):
    """Answer recovery codes, which are shown once; none where the account has a set already."""

    recovery_codes: list[str]


async def post_begin(call: PrivateCall, body: BeginTotpRequest) -> Reply:
    """Begin: the secret is good for 10 minutes, and takes the place of one that was begun before."""
    match await call.flows.factors.begin(KIND, call.caller, call.origin):
        case Denied() as denied:
            return await call.refuse(denied)
        case Begun() as begun:
            return _begun(call, begun)


async def post_begin_by_ticket(call: Call, body: BeginTotpRequest) -> Reply:
    """Begin for a login that must enrol."""
    device = device_of(body, call)
    if isinstance(device, Denied):
        return await call.refuse(device)
    match await call.flows.factors.begin_by_ticket(KIND, body.login_ticket, body.sms_code, call.on(device)):
        case Denied() as denied:
            return await refuse(call, denied)
        case Begun() as begun:
            return _begun(call, begun)


async def post(call: PrivateCall, body: ConfirmTotpRequest) -> Reply:
    """Confirm it by its first code. The first factor of an account comes with recovery codes."""
    match await call.flows.factors.confirm(Enrolment(KIND, body.code), call.caller, call.origin):
        case Denied() as denied:
            return await call.refuse(denied)
        case Enrolled(recovery_codes=codes):
            return ok(RecoveryCodesAnswer(recovery_codes=list(codes)))


async def post_by_ticket(call: Call, body: ConfirmTotpRequest) -> Reply:
    """Confirm it, and complete the login: its answer, with the recovery codes."""
    device = device_of(body, call)
    if isinstance(device, Denied):
        return await call.refuse(device)
    enrolment = Enrolment(KIND, body.code)
    outcome = await call.flows.factors.confirm_by_ticket(enrolment, body.login_ticket, call.on(device))
    return await answer_login(call, outcome)


async def delete(call: PrivateCall, body: NoBody) -> Reply:
    """Remove it."""
    match await call.flows.factors.remove(KIND, call.caller, call.origin):
        case Denied() as denied:
            return await call.refuse(denied)
        case Done():
            return ok()


def _begun(call: Call, begun: Begun) -> Reply:
    expires_in = seconds_until(begun.expires_at, call.flows.now())
    return ok(BegunTotpAnswer(secret=begun.shown["secret"], uri=begun.shown["uri"], expires_in=expires_in))
