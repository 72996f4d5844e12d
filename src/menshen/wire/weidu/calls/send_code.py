"""Send a code: POST /users/mobile/sms, /users/sendsms, /users/email/code. (docs/contracts/weidu.md section 3.3.)

The answer does not show if an account has that phone or email.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from menshen.core.codes.asks import CodeSent, SendCode
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.gates.captcha import PassPresented
from menshen.core.identifiers import Kind, parse_email, parse_phone
from menshen.core.problems import Denied
from menshen.wire.weidu import decode
from menshen.wire.weidu.call import Call
from menshen.wire.weidu.device import DeviceBody, device_of
from menshen.wire.weidu.envelope import Reply, ok
from menshen.wire.weidu.problems import invalid

_WHY = "What the code is for; it is good for nothing else."


class SendSmsRequest(DeviceBody, frozen=True, kw_only=True):
    """Take the receiver and the purpose of the code."""

    mobile: decode.Phone
    captcha_token: decode.CaptchaToken
    purpose: Annotated[Literal["login", "signup", "reset", "bind", "proof"], Meta(description=_WHY)] = "login"


class SendEmailRequest(DeviceBody, frozen=True, kw_only=True):
    """Take the receiver and the purpose of the code."""

    email: decode.Email
    captcha_token: decode.CaptchaToken
    # No call registers an account by email.
    purpose: Annotated[Literal["login", "reset", "bind", "proof"], Meta(description=_WHY)] = "login"


async def post_mobile(call: Call, body: SendSmsRequest) -> Reply:
    """Send a code by SMS."""
    phone = parse_phone(body.mobile)
    if phone is None:
        raise invalid("mobile")
    ask = SendCode(Kind.PHONE, phone, Purpose(body.purpose), PassPresented(body.captcha_token))
    return await _send(call, body, ask, "mobile")


async def post_email(call: Call, body: SendEmailRequest) -> Reply:
    """Send a code by email."""
    address = parse_email(body.email)
    if address is None:
        raise invalid("email")
    ask = SendCode(Kind.EMAIL, address, Purpose(body.purpose), PassPresented(body.captcha_token))
    return await _send(call, body, ask, "email")


async def _send(call: Call, body: DeviceBody, ask: SendCode, name: str) -> Reply:
    device = device_of(body, call)
    if isinstance(device, Denied):
        return await call.refuse(device)
    match await call.flows.codes.send(ask, call.on(device)):
        case Denied() as denied:
            return await call.refuse(denied, {"phone": name, "subject": name})
        case CodeSent():
            return ok()
