"""Register, rename and remove passkeys: /users/passkeys.

Both POST calls take a session, or the ticket of a login that must enrol: then registering completes that login.
(docs/contracts/factors.md sections 3, 6 and 11.)
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Annotated

from msgspec import Meta, Struct

from menshen.core.factors.asks import NewPasskey
from menshen.core.factors.outcomes import Enrolled
from menshen.core.factors.passkeys import Passkey, PublicKeyOptions
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, ProblemCode
from menshen.wire.weidu import decode
from menshen.wire.weidu.call import Call, PrivateCall
from menshen.wire.weidu.calls.login_second import PublicKeyAnswer
from menshen.wire.weidu.decode import NoBody
from menshen.wire.weidu.device import DeviceBody, device_of
from menshen.wire.weidu.envelope import Ok, Reply, ok
from menshen.wire.weidu.logins import answer_login
from menshen.wire.weidu.records import Millis
from menshen.wire.weidu.steps import refuse


class NewPasskeyOptionsRequest(DeviceBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take nothing in a session; else a ticket, and the code by SMS that its login asked for."""

    login_ticket: decode.MaybeTicket = ""
    sms_code: decode.MaybeSmsCode = ""


class NewPasskeyRequest(DeviceBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take what the browser made of the options."""

    credential: decode.Credential
    name: decode.MaybePasskeyName = ""
    login_ticket: decode.MaybeTicket = ""


class RenamePasskeyRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take the new name."""

    name: decode.PasskeyName


class PasskeyInfo(Struct, frozen=True, kw_only=True):
    """Describe a passkey. `credential_id` and `rp_id` are for the browser's signals about passkeys."""

    id: str
    name: str
    credential_id: Annotated[str, Meta(description="Base64url, as browsers write it.")]
    rp_id: str
    synced: Annotated[bool, Meta(description="Its owner's devices share it.")]
    step_only: Annotated[bool, Meta(description="It completes a login, and cannot log in alone.")]
    create_at: Millis
    last_used_at: Millis


class NewPasskeyAnswer(Ok, frozen=True, kw_only=True):
    """Answer the new passkey, and recovery codes, which are shown once; none where the account has a set already."""

    passkey: PasskeyInfo
    recovery_codes: list[str]


async def post_options(call: PrivateCall, body: NewPasskeyOptionsRequest) -> Reply:
    """Return the options for a new passkey."""
    match await call.flows.factors.new_passkey_options(call.caller, call.origin):
        case Denied() as denied:
            return await call.refuse(denied)
        case PublicKeyOptions(options=options):
            return ok(PublicKeyAnswer(public_key=dict(options)))


async def post_options_by_ticket(call: Call, body: NewPasskeyOptionsRequest) -> Reply:
    """Return the options for a login that must enrol."""
    device = device_of(body, call)
    if isinstance(device, Denied):
        return await call.refuse(device)
    match await call.flows.factors.passkey_options_by_ticket(body.login_ticket, body.sms_code, call.on(device)):
        case Denied() as denied:
            return await refuse(call, denied)
        case PublicKeyOptions(options=options):
            return ok(PublicKeyAnswer(public_key=dict(options)))


async def post(call: PrivateCall, body: NewPasskeyRequest) -> Reply:
    """Register a passkey. The first factor of an account comes with recovery codes."""
    match await call.flows.factors.add_passkey(NewPasskey(body.credential, body.name), call.caller, call.origin):
        case Denied() as denied:
            return await call.refuse(denied)
        case Enrolled(passkey=passkey, recovery_codes=codes):
            if passkey is None:
                return await call.refuse(Denied(ProblemCode.INTERNAL))
            return ok(NewPasskeyAnswer(passkey=passkey_info(passkey), recovery_codes=list(codes)))


async def post_by_ticket(call: Call, body: NewPasskeyRequest) -> Reply:
    """Register a passkey, and complete the login: its answer, with the recovery codes."""
    device = device_of(body, call)
    if isinstance(device, Denied):
        return await call.refuse(device)
    passkey = NewPasskey(body.credential, body.name)
    outcome = await call.flows.factors.add_passkey_by_ticket(passkey, body.login_ticket, call.on(device))
    return await answer_login(call, outcome)


async def put(call: PrivateCall, body: RenamePasskeyRequest) -> Reply:
    """Rename a passkey of the caller. Another user's is not found."""
    match await call.flows.factors.rename_passkey(call.resource, body.name, call.caller, call.origin):
        case Denied() as denied:
            return await call.refuse(denied)
        case Done():
            return ok()


async def delete(call: PrivateCall, body: NoBody) -> Reply:
    """Remove a passkey of the caller. Another user's is not found."""
    match await call.flows.factors.remove_passkey(call.resource, call.caller, call.origin):
        case Denied() as denied:
            return await call.refuse(denied)
        case Done():
            return ok()


def passkey_info(passkey: Passkey) -> PasskeyInfo:
    """Return the record of a passkey, without its public key."""
    return PasskeyInfo(
        id=passkey.passkey_id,
        name=passkey.name,
        credential_id=urlsafe_b64encode(passkey.credential).decode("ascii").rstrip("="),
        rp_id=passkey.rp_id,
        synced=passkey.synced,
        step_only=passkey.step_only,
        create_at=passkey.created_at,
        last_used_at=passkey.used_at,
    )
