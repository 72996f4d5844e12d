"""Log in with a username and a password: login.user.user. (docs/contracts/careyshop.md section 4.)"""

from __future__ import annotations

from typing import Any

from menshen.core.gates.captcha import ImagePresented
from menshen.core.login.asks import PasswordLogin
from menshen.wire.careyshop import rules, texts
from menshen.wire.careyshop.call import Call
from menshen.wire.careyshop.calls import profile, session
from menshen.wire.careyshop.parameters import Parameters
from menshen.wire.careyshop.problems import Refused, settled
from menshen.wire.careyshop.public_rules import given, scalar


async def login(call: Call) -> dict[str, Any]:
    """Return the account and its new tokens. The flow gets the username as typed: a verified phone can log in too."""
    asked = call.parameters
    ask = PasswordLogin(rules.username(asked), rules.password(asked), rules.platform(asked), _captcha(asked))
    granted = settled(await call.flows.login.password(ask, call.origin))
    user = profile.fields(granted.account, call.settings)
    if call.settings.recorded_manners and str(asked["username"]).lower() == granted.account.username:
        user["username"] = asked["username"]
    return {"user": user, "token": session.fields(granted, call.settings)}


def _captcha(parameters: Parameters) -> ImagePresented | None:
    """Return the captcha's solution, or None. "" and "0" count as none."""
    code = parameters.get("login_code")
    if not given(code):
        return None
    answer, session_id = scalar(code), scalar(parameters.get("session_id"))
    if answer is None:
        raise Refused(texts.CAPTCHA_WRONG)
    return None if answer == "0" else ImagePresented(session_id or "", answer)
