"""Log in with a passkey, without a name: POST /users/passkey/options, /users/passkey/login.

An unknown passkey is said to be one, so that the page can tell the browser to forget it.
(docs/contracts/factors.md sections 6 and 11.)
"""

from __future__ import annotations

from menshen.core.factors.asks import PasskeyLogin
from menshen.core.factors.passkeys import PublicKeyOptions
from menshen.core.problems import Denied
from menshen.wire.weidu import decode
from menshen.wire.weidu.call import Call, presented
from menshen.wire.weidu.calls.login_second import PublicKeyAnswer
from menshen.wire.weidu.decode import NoBody
from menshen.wire.weidu.device import DeviceBody, device_of
from menshen.wire.weidu.envelope import Reply, ok
from menshen.wire.weidu.logins import answer_login, by_password


class PasskeyLoginRequest(DeviceBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take what the browser answered to the options."""

    credential: decode.Credential
    captcha_token: decode.MaybeCaptchaToken = ""


async def post_options(call: Call, body: NoBody) -> Reply:
    """Return the options for any passkey of this site. They are good for 300 s, and once."""
    match await call.flows.login.passkey_options(call.origin):
        case Denied() as denied:
            return await call.refuse(denied)
        case PublicKeyOptions(options=options):
            return ok(PublicKeyAnswer(public_key=dict(options)))


async def post(call: Call, body: PasskeyLoginRequest) -> Reply:
    """Log in: Token header, cookies and the account."""
    device = device_of(body, call)
    if isinstance(device, Denied):
        return await call.refuse(device)
    ask = PasskeyLogin(body.credential, captcha=presented(body.captcha_token))
    return await answer_login(call, await call.flows.login.passkey(ask, call.on(device)), by_password)
