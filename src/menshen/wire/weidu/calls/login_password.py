"""Log in with phone, email or username and a password: POST /users/login. (docs/contracts/weidu.md section 2.)"""

from __future__ import annotations

from menshen.core.login.asks import PasswordLogin
from menshen.core.problems import Denied
from menshen.wire.weidu import decode
from menshen.wire.weidu.call import Call, presented
from menshen.wire.weidu.device import DeviceBody, device_of
from menshen.wire.weidu.envelope import Reply
from menshen.wire.weidu.logins import answer_login, by_password


class PasswordLoginRequest(DeviceBody, frozen=True, kw_only=True):
    """Take the fields of the API document."""

    login_id: decode.LoginId
    password: decode.Password
    captcha_token: decode.MaybeCaptchaToken = ""
    second_code: decode.MaybeSecondCode = ""
    trust_token: decode.MaybeTrustToken = ""


async def post(call: Call, body: PasswordLoginRequest) -> Reply:
    """Log in: Token header, cookies and the account."""
    device = device_of(body, call)
    if isinstance(device, Denied):
        return await call.refuse(device)
    captcha = presented(body.captcha_token)
    ask = PasswordLogin(body.login_id, body.password, captcha=captcha, second_code=body.second_code)
    return await answer_login(
        call, await call.flows.login.password(ask, call.on(device, body.trust_token)), by_password
    )
