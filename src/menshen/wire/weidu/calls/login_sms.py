"""Log in with a phone and a code: POST /users/mobile/login. (docs/contracts/weidu.md section 3.1.)"""

from __future__ import annotations

from menshen.core.gates.captcha import PassPresented
from menshen.core.identifiers import parse_phone
from menshen.core.login.asks import CodeLogin
from menshen.core.problems import Denied
from menshen.wire.weidu import decode
from menshen.wire.weidu.call import Call
from menshen.wire.weidu.device import DeviceBody, device_of
from menshen.wire.weidu.envelope import Reply
from menshen.wire.weidu.logins import answer_login, by_code
from menshen.wire.weidu.problems import invalid


class CodeLoginRequest(DeviceBody, frozen=True, kw_only=True):
    """Take the fields of the API document."""

    login_id: decode.Phone
    sms_code: decode.Code
    captcha_token: decode.CaptchaToken
    second_code: decode.MaybeSecondCode = ""


async def post(call: Call, body: CodeLoginRequest) -> Reply:
    """Log in: Token header, cookies and the account. An unknown phone gets a new account."""
    phone = parse_phone(body.login_id)
    if phone is None:
        raise invalid("login_id")
    captcha = PassPresented(body.captcha_token)
    return await log_in(call, body, CodeLogin(phone, body.sms_code, captcha, second_code=body.second_code))


async def log_in(call: Call, body: DeviceBody, ask: CodeLogin) -> Reply:
    """Log in with a code, by SMS or by mail."""
    device = device_of(body, call)
    if isinstance(device, Denied):
        return await call.refuse(device)
    return await answer_login(call, await call.flows.login.code(ask, call.on(device)), by_code, {"phone": "login_id"})
