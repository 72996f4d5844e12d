"""Set a new phone or email for the caller's account: POST /users/mobile/bind, /users/email/bind.

The caller must have proved their identity within the last ten minutes, or prove it here. The proof is the password, or
a code of purpose proof sent to the current phone or email.
(docs/contracts/weidu.md section 5.8, ASVS 5.0 7.5.1.)
"""

from __future__ import annotations

from msgspec import Struct

from menshen.core.account.asks import Bind, Edited
from menshen.core.identifiers import Kind, parse_email, parse_phone
from menshen.core.problems import Denied
from menshen.wire.weidu import decode
from menshen.wire.weidu.call import PrivateCall
from menshen.wire.weidu.calls.profile import OwnInfoAnswer
from menshen.wire.weidu.envelope import Reply, ok
from menshen.wire.weidu.problems import invalid
from menshen.wire.weidu.records import own


class MobileBindRequest(Struct, frozen=True, kw_only=True):
    """Take a new phone, and the code of purpose bind that was sent to it."""

    mobile: decode.Phone
    sms_code: decode.Code
    password: decode.MaybePassword = ""
    proof_code: decode.MaybeProofCode = ""


class EmailBindRequest(Struct, frozen=True, kw_only=True):
    """Take a new email, and the code of purpose bind that was sent to it."""

    email: decode.Email
    email_code: decode.Code
    password: decode.MaybePassword = ""
    proof_code: decode.MaybeProofCode = ""


async def post_mobile(call: PrivateCall, body: MobileBindRequest) -> Reply:
    """Set it and return the account."""
    phone = parse_phone(body.mobile)
    if phone is None:
        raise invalid("mobile")
    return await _bind(call, Bind(Kind.PHONE, phone, body.sms_code, body.password or None, body.proof_code or None))


async def post_email(call: PrivateCall, body: EmailBindRequest) -> Reply:
    """Set it and return the account."""
    address = parse_email(body.email)
    if address is None:
        raise invalid("email")
    return await _bind(call, Bind(Kind.EMAIL, address, body.email_code, body.password or None, body.proof_code or None))


async def _bind(call: PrivateCall, ask: Bind) -> Reply:
    match await call.flows.account.bind(ask, call.caller, call.origin):
        case Denied() as denied:
            return await call.refuse(denied, {"phone": "mobile"})
        case Edited(account=account):
            return ok(OwnInfoAnswer(user_info=own(account)))
