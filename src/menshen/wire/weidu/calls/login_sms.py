"""Log in with a phone and a code: POST /users/mobile/login. (docs/contracts/weidu.md section 3.1.)"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from menshen.core.gates.captcha import PassPresented
from menshen.core.identifiers import parse_phone
from menshen.core.login.asks import CodeLogin
from menshen.core.login.outcomes import Granted, StepNeeded
from menshen.core.problems import Denied
from menshen.wire.weidu import carrier, decode, records
from menshen.wire.weidu.call import Call
from menshen.wire.weidu.device import DeviceBody, device_of
from menshen.wire.weidu.envelope import Reply, ok
from menshen.wire.weidu.problems import invalid
from menshen.wire.weidu.steps import ask_for_step


class CodeLoginRequest(DeviceBody, frozen=True, kw_only=True):
    """Take the fields of the API document."""

    login_id: decode.Phone
    sms_code: decode.Code
    captcha_token: decode.CaptchaToken


class CodeLoginAnswer(Struct, frozen=True, kw_only=True):
    """Answer as in the example of the API document, where `result` comes before `code`."""

    result: Literal["ok"] = "ok"
    code: Literal[200] = 200
    user_info: records.CodeUserInfo


async def post(call: Call, body: CodeLoginRequest) -> Reply:
    """Log in: Token header, cookies and the account. An unknown phone gets a new account."""
    phone = parse_phone(body.login_id)
    if phone is None:
        raise invalid("login_id")
    return await log_in(call, body, CodeLogin(phone, body.sms_code, PassPresented(body.captcha_token)))


async def log_in(call: Call, body: DeviceBody, ask: CodeLogin) -> Reply:
    """Log in with a code, by SMS or by mail."""
    device = device_of(body, call)
    if isinstance(device, Denied):
        return await call.refuse(device)
    match await call.flows.login.code(ask, call.on(device)):
        case Denied() as denied:
            return await call.refuse(denied, {"phone": "login_id"})
        case StepNeeded() as needed:
            return ask_for_step(call, needed)
        case Granted() as granted:
            answer = CodeLoginAnswer(user_info=records.after_code_login(granted.account))
            return ok(answer, carrier.place(granted, call))
