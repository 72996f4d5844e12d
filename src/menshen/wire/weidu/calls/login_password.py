"""Log in with phone, email or username and a password: POST /users/login. (docs/contracts/weidu.md section 2.)"""

from __future__ import annotations

from menshen.core.login.asks import PasswordLogin
from menshen.core.login.outcomes import Granted, StepNeeded
from menshen.core.problems import Denied
from menshen.wire.weidu import carrier, decode, records
from menshen.wire.weidu.call import Call, presented
from menshen.wire.weidu.device import DeviceBody, device_of
from menshen.wire.weidu.envelope import Ok, Reply, ok
from menshen.wire.weidu.steps import ask_for_step


class PasswordLoginRequest(DeviceBody, frozen=True, kw_only=True):
    """Take the fields of the API document."""

    login_id: decode.LoginId
    password: decode.Password
    captcha_token: decode.MaybeCaptchaToken = ""


class PasswordLoginAnswer(Ok, frozen=True, kw_only=True):
    """Answer as in the example of the API document."""

    user_info: records.UserInfo


async def post(call: Call, body: PasswordLoginRequest) -> Reply:
    """Log in: Token header, cookies and the account."""
    device = device_of(body, call)
    if isinstance(device, Denied):
        return await call.refuse(device)
    ask = PasswordLogin(body.login_id, body.password, captcha=presented(body.captcha_token))
    match await call.flows.login.password(ask, call.on(device)):
        case Denied() as denied:
            return await call.refuse(denied)
        case StepNeeded() as needed:
            return ask_for_step(call, needed)
        case Granted() as granted:
            answer = PasswordLoginAnswer(user_info=records.after_login(granted.account))
            return ok(answer, carrier.place(granted, call))
