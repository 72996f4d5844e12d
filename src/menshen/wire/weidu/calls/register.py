"""Register an account: POST /users/mobile/signup, /users/mobile/exist, /users/email/exist.

(docs/contracts/weidu.md sections 5.2 and 5.4.)
"""

from __future__ import annotations

from msgspec import Struct

from menshen.core.gates.captcha import PassPresented
from menshen.core.identifiers import Identifier, Kind, parse_email, parse_phone
from menshen.core.login.asks import CodeSignup
from menshen.core.problems import Denied
from menshen.wire.weidu import decode
from menshen.wire.weidu.call import Call, presented
from menshen.wire.weidu.device import DeviceBody, device_of
from menshen.wire.weidu.envelope import Ok, Reply, ok
from menshen.wire.weidu.logins import answer_login, by_signup
from menshen.wire.weidu.problems import invalid


class SignupRequest(DeviceBody, frozen=True, kw_only=True):
    """Take a phone, the code of purpose signup that proves it, and the new password."""

    mobile: decode.Phone
    sms_code: decode.Code
    passwd: decode.Password
    captcha_token: decode.CaptchaToken


class MobileExistRequest(Struct, frozen=True, kw_only=True):
    """Take the phone to look up."""

    mobile: decode.Phone
    captcha_token: decode.MaybeCaptchaToken = ""


class EmailExistRequest(Struct, frozen=True, kw_only=True):
    """Take the email to look up."""

    email: decode.Email
    captcha_token: decode.MaybeCaptchaToken = ""


class ExistAnswer(Ok, frozen=True, kw_only=True):
    """Answer true if an account can log in by it."""

    is_exist: bool


async def post_signup(call: Call, body: SignupRequest) -> Reply:
    """Register an account and log in."""
    phone = parse_phone(body.mobile)
    if phone is None:
        raise invalid("mobile")
    device = device_of(body, call)
    if isinstance(device, Denied):
        return await call.refuse(device)
    ask = CodeSignup(phone, body.sms_code, body.passwd, PassPresented(body.captcha_token))
    names = {"phone": "mobile", "password": "passwd"}
    return await answer_login(call, await call.flows.login.sign_up(ask, call.on(device)), by_signup, names)


async def post_mobile_exist(call: Call, body: MobileExistRequest) -> Reply:
    """Check if a phone has an account."""
    phone = parse_phone(body.mobile)
    if phone is None:
        raise invalid("mobile")
    return await _exists(call, Identifier(Kind.PHONE, phone), body.captcha_token)


async def post_email_exist(call: Call, body: EmailExistRequest) -> Reply:
    """Check if an email has an account."""
    address = parse_email(body.email)
    if address is None:
        raise invalid("email")
    return await _exists(call, Identifier(Kind.EMAIL, address), body.captcha_token)


async def _exists(call: Call, who: Identifier, captcha_token: str) -> Reply:
    match await call.flows.account.exists(who, presented(captcha_token), call.origin):
        case Denied() as denied:
            return await call.refuse(denied, {"phone": "mobile"})
        case bool() as known:
            return ok(ExistAnswer(is_exist=known))
