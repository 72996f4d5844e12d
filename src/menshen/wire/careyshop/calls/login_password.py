"""Log in with a username and a password: login.user.user. (docs/contracts/careyshop.md section 4.)"""

from __future__ import annotations

from typing import cast

from menshen.core.login.asks import PasswordLogin
from menshen.wire.careyshop import rules, texts
from menshen.wire.careyshop.call import Call
from menshen.wire.careyshop.calls import captcha, session
from menshen.wire.careyshop.described import fields
from menshen.wire.careyshop.described.answers import Login
from menshen.wire.careyshop.described.fields import reads
from menshen.wire.careyshop.problems import granted


@reads(
    fields.USERNAME,
    fields.PASSWORD,
    fields.PLATFORM,
    optional=(*fields.CAPTCHA, fields.SECOND_CODE),
    refuses=(texts.SECOND_STEP, texts.CODE_WRONG),
    steps=True,
)
async def login(call: Call) -> Login:
    """Return the account and its new tokens. The flow gets the username as typed: a verified phone can log in too.

    An account with a second step is refused, and `data` has the ticket for `second.user.user`.
    """
    asked = call.parameters
    # The recorded server refused a blank behind the name.
    username = rules.username(asked, folds=not call.settings.recorded_manners)
    password, platform, solved = rules.password(asked), rules.platform(asked), captcha.presented(asked)
    ask = PasswordLogin(username, password, platform, solved, rules.second_code(asked))
    opened = granted(await call.flows.login.password(ask, call.origin))
    answer = session.login_fields(opened, call.settings)
    if call.settings.recorded_manners and str(asked["username"]).lower() == opened.account.username:
        # The recorded server gives a JSON integer back as one.
        answer["user"]["username"] = cast("str", asked["username"])
    return answer
