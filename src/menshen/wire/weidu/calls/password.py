"""Set a new password: POST /users/password, /users/mobile/reset, /users/email/reset.

(docs/contracts/weidu.md sections 5.3 and 5.7.)
"""

from __future__ import annotations

from msgspec import Struct

from menshen.core.account.asks import PasswordChange, PasswordReset
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.gates.captcha import PassPresented
from menshen.core.identifiers import Kind, parse_email, parse_phone
from menshen.core.outcomes import Done
from menshen.core.problems import Denied
from menshen.wire.weidu import decode
from menshen.wire.weidu.call import Call, PrivateCall
from menshen.wire.weidu.device import DeviceBody, device_of
from menshen.wire.weidu.envelope import Reply, ok
from menshen.wire.weidu.problems import invalid


class PasswordChangeRequest(Struct, frozen=True, kw_only=True):
    """Take the old password as proof, and the new one."""

    old_password: decode.Password
    password: decode.Password


class MobileResetRequest(DeviceBody, frozen=True, kw_only=True):
    """Take a code of purpose reset, and the new password."""

    mobile: decode.Phone
    sms_code: decode.Code
    captcha_token: decode.CaptchaToken
    password: decode.Password


class EmailResetRequest(DeviceBody, frozen=True, kw_only=True):
    """Take a code of purpose reset, and the new password."""

    email: decode.Email
    email_code: decode.Code
    captcha_token: decode.CaptchaToken
    password: decode.Password


async def post_change(call: PrivateCall, body: PasswordChangeRequest) -> Reply:
    """Change the password. The other sessions end, this one stays."""
    ask = PasswordChange(body.old_password, body.password, keep_session=True)
    match await call.flows.account.change_password(ask, call.caller, call.origin):
        case Denied() as denied:
            return await call.refuse(denied)
        case Done():
            return ok()


async def post_mobile_reset(call: Call, body: MobileResetRequest) -> Reply:
    """Set a new password. All sessions end, and no new one opens."""
    phone = parse_phone(body.mobile)
    if phone is None:
        raise invalid("mobile")
    captcha = PassPresented(body.captcha_token)
    ask = PasswordReset(Kind.PHONE, phone, Purpose.RESET, body.sms_code, body.password, captcha=captcha)
    return await _reset(call, body, ask)


async def post_email_reset(call: Call, body: EmailResetRequest) -> Reply:
    """Set a new password. All sessions end, and no new one opens."""
    address = parse_email(body.email)
    if address is None:
        raise invalid("email")
    captcha = PassPresented(body.captcha_token)
    ask = PasswordReset(Kind.EMAIL, address, Purpose.RESET, body.email_code, body.password, captcha=captcha)
    return await _reset(call, body, ask)


async def _reset(call: Call, body: DeviceBody, ask: PasswordReset) -> Reply:
    device = device_of(body, call)
    if isinstance(device, Denied):
        return await call.refuse(device)
    match await call.flows.account.reset_password(ask, call.on(device)):
        case Denied() as denied:
            return await call.refuse(denied, {"phone": "mobile"})
        case Done():
            return ok()
