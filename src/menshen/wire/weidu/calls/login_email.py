"""POST /users/email/login: log in with an email and a code, as `login_sms` does with a phone.

It registers nobody: an address that no account has proved is not registered. (docs/contracts/weidu.md section 3.2.)
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
    """The fields of the SMS-code login, with an address and the code that went there."""

    login_id: decode.Email
    email_code: decode.Code
    captcha_token: decode.CaptchaToken


async def post(call: Call, body: EmailLoginRequest) -> Reply:
    """Granted: Token header, cookies and the account."""
    address = parse_email(body.login_id)
    if address is None:
        raise invalid("login_id")
    return await log_in(call, body, CodeLogin(address, body.email_code, PassPresented(body.captcha_token)))
