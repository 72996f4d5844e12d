"""Answer POST /specimen/login: log in with a username, a phone or an email, and a password.

This dialect has no captcha call. A network that must pass a captcha waits until the limits ask for none.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from menshen.core.login.asks import PasswordLogin
from menshen.core.login.outcomes import Granted, StepNeeded
from menshen.core.problems import Denied
from menshen.wire.specimen.call import Call
from menshen.wire.specimen.calls.profile import AccountInfo, info_of
from menshen.wire.specimen.envelope import Ok, Reply
from menshen.wire.specimen.problems import SECOND_STEP, Refused, refuse


class LoginRequest(Struct, frozen=True, kw_only=True):
    """Hold the body of a login. Unknown fields are ignored."""

    username: Annotated[str, Meta(min_length=1, max_length=320)]
    password: Annotated[str, Meta(min_length=1, max_length=4096)]

    def __repr__(self) -> str:
        """Leave out the password: a repr may end up in a log."""
        return f"LoginRequest(username={self.username!r})"


class LoginAnswer(Ok, frozen=True, kw_only=True):
    """Hold a new session. `expires_at` is epoch milliseconds."""

    token: str
    expires_at: int
    account: AccountInfo

    def __repr__(self) -> str:
        """Leave out the token."""
        return f"LoginAnswer(account={self.account!r})"


async def post(call: Call) -> Reply:
    """Log in."""
    body = call.read(LoginRequest)
    match await call.flows.login.password(PasswordLogin(body.username, body.password), call.origin):
        case Denied() as denied:
            return refuse(denied, call.origin.language)
        case StepNeeded():
            raise Refused(SECOND_STEP)
        case Granted(account=account, session=session, token=token):
            return Reply(200, LoginAnswer(token=token, expires_at=session.expires_at, account=info_of(account)))
