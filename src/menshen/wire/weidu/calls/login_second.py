"""Complete a login that waits for its second step: POST /users/login/second, and what gets ready for it.

A page sends the cookie that came with the ticket. Every other client names the device of the first call, or none again.
(docs/contracts/factors.md sections 3 and 11.)
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType

from menshen.core.factors.asks import SecondStep
from menshen.core.factors.outcomes import CodeSent
from menshen.core.factors.passkeys import PublicKeyOptions
from menshen.core.problems import Denied
from menshen.wire.weidu import decode
from menshen.wire.weidu.call import Call
from menshen.wire.weidu.device import DeviceBody, device_of
from menshen.wire.weidu.envelope import Ok, Reply, ok
from menshen.wire.weidu.logins import answer_login
from menshen.wire.weidu.steps import read_proof, refuse


class SecondStepRequest(DeviceBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take a ticket, and the proof of one of its methods: a code, or the credential of a passkey."""

    login_ticket: decode.Ticket
    method: decode.FactorName = "totp"
    code: decode.MaybeFactorCode = ""
    credential: decode.Credential | UnsetType = UNSET
    trust_device: Annotated[bool, Meta(description="Ask for no step at the next password logins here.")] = False


class TicketRequest(DeviceBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take a ticket."""

    login_ticket: decode.Ticket


class PublicKeyAnswer(Ok, frozen=True, kw_only=True):
    """Answer the options for the browser, as JSON of WebAuthn Level 3."""

    public_key: dict[str, Any]


class StepCodeAnswer(Ok, frozen=True, kw_only=True):
    """Answer where the code went: the masked phone."""

    mobile: str


async def post(call: Call, body: SecondStepRequest) -> Reply:
    """Complete the login: the answer of the login that began, with its headers and cookies."""
    device = device_of(body, call)
    if isinstance(device, Denied):
        return await call.refuse(device)
    proof = read_proof(body.method, body.code, body.credential)
    ask = SecondStep(body.login_ticket, proof, trust_device=body.trust_device)
    return await answer_login(call, await call.flows.login.second(ask, call.on(device)))


async def post_options(call: Call, body: TicketRequest) -> Reply:
    """Return the options for a passkey of the account that logs in."""
    device = device_of(body, call)
    if isinstance(device, Denied):
        return await call.refuse(device)
    match await call.flows.login.second_options(body.login_ticket, call.on(device)):
        case Denied() as denied:
            return await refuse(call, denied)
        case PublicKeyOptions(options=options):
            return ok(PublicKeyAnswer(public_key=dict(options)))


async def post_sms(call: Call, body: TicketRequest) -> Reply:
    """Send a code to the proved phone: for the step, or to allow an enrolment."""
    device = device_of(body, call)
    if isinstance(device, Denied):
        return await call.refuse(device)
    match await call.flows.login.second_code(body.login_ticket, call.on(device)):
        case Denied() as denied:
            return await refuse(call, denied)
        case CodeSent(masked=mobile):
            return ok(StepCodeAnswer(mobile=mobile))
