"""Log in with an email and a code: POST /users/email/login.

It never registers an account: an unverified email is refused as not registered. (docs/contracts/weidu.md section 3.2.)
"""

from __future__ import annotations

from menshen.core.gates.captcha import PassPresented
from menshen.core.identifiers import parse_email
from menshen.core.login.asks import CodeLogin
from menshen.wire.weidu import decode
from menshen.wire.weidu.call import Call
from menshen.wire.weidu.calls.login_sms import log_in
from menshen.wire.weidu.device import DeviceBody
from menshen.wire.weidu.envelope import Reply
from menshen.wire.weidu.problems import invalid


class EmailLoginRequest(DeviceBody, frozen=True, kw_only=True):
    """Take the fields of the SMS-code login, with an email and the code that was sent to it."""

    login_id: decode.Email
    email_code: decode.Code
    captcha_token: decode.CaptchaToken
    second_code: decode.MaybeSecondCode = ""


async def post(call: Call, body: EmailLoginRequest) -> Reply:
    """Log in: Token header, cookies and the account."""
    address = parse_email(body.login_id)
    if address is None:
        raise invalid("login_id")
    captcha = PassPresented(body.captcha_token)
    return await log_in(call, body, CodeLogin(address, body.email_code, captcha, second_code=body.second_code))
