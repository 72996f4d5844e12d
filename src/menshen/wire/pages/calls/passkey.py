"""Log in with a passkey, without a name. The script of the login page asks for the options and posts the form."""

from __future__ import annotations

from typing import Final

from menshen.core.factors.asks import PasskeyLogin
from menshen.core.problems import Denied, ProblemCode
from menshen.wire.dialect import Access
from menshen.wire.pages.answers import Answer
from menshen.wire.pages.call import Call
from menshen.wire.pages.credentials import options_as_json, read_credential
from menshen.wire.pages.entering import answer_login
from menshen.wire.pages.routing import Route


async def post_options(call: Call) -> Answer:
    """Return the options for any passkey of this site, as JSON."""
    return options_as_json(call, await call.flows.login.passkey_options(call.origin))


async def post(call: Call) -> Answer:
    """Log in with what the passkey answered."""
    credential = read_credential(call)
    if credential is None:
        return _again(call, Denied(ProblemCode.WRONG_PASSKEY))
    outcome = await answer_login(call, await call.flows.login.passkey(PasskeyLogin(credential), call.origin))
    return _again(call, outcome) if isinstance(outcome, Denied) else outcome


def _again(call: Call, denied: Denied) -> Answer:
    """Lead back to the login, which says what was wrong. The form of the passkey has nothing to type."""
    return call.go("/login", said=f"problem.{denied.code}")


ROUTES: Final = (
    Route("POST", "/login/passkey/options", post_options, "login.passkey_options"),
    Route("POST", "/login/passkey", post, "login.passkey", Access.LOGIN),
)
