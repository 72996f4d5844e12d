"""Log in with a username and a password: login.user.user. (docs/contracts/careyshop.md section 4.)"""

from __future__ import annotations

from typing import cast

from menshen.core.login.asks import PasswordLogin
from menshen.wire.careyshop import rules
from menshen.wire.careyshop.call import Call
from menshen.wire.careyshop.calls import captcha, profile, session
from menshen.wire.careyshop.described import fields
from menshen.wire.careyshop.described.answers import Login
from menshen.wire.careyshop.described.fields import reads
from menshen.wire.careyshop.problems import granted


@reads(fields.USERNAME, fields.PASSWORD, fields.PLATFORM, optional=fields.CAPTCHA)
async def login(call: Call) -> Login:
    """Return the account and its new tokens. The flow gets the username as typed: a verified phone can log in too."""
    asked = call.parameters
    # The recorded server refused a blank behind the name.
    username = rules.username(asked, folds=not call.settings.recorded_manners)
    ask = PasswordLogin(username, rules.password(asked), rules.platform(asked), captcha.presented(asked))
    session_opened = granted(await call.flows.login.password(ask, call.origin))
    user = profile.fields(session_opened.account, call.settings)
    if call.settings.recorded_manners and str(asked["username"]).lower() == session_opened.account.username:
        # The recorded server gives a JSON integer back as one.
        user["username"] = cast("str", asked["username"])
    return {"user": user, "token": session.fields(session_opened, call.settings)}
