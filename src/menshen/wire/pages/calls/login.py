"""Answer the login page."""

from __future__ import annotations

from typing import Final

from menshen.core.login.asks import PasswordLogin
from menshen.core.problems import Denied
from menshen.wire.dialect import Access
from menshen.wire.pages.answers import Answer, SeeOther
from menshen.wire.pages.call import HOME, Call
from menshen.wire.pages.credentials import suggested
from menshen.wire.pages.entering import answer_login
from menshen.wire.pages.routing import Route


async def get(call: Call) -> Answer:
    """Show the form. Who is logged in goes on at once."""
    if call.caller is not None:
        return SeeOther(call.next or HOME)
    return call.page("login.html", account="", suggested=await suggested(call))


async def post(call: Call) -> Answer:
    """Log in with a password."""
    account = call.field("account").strip()
    ask = PasswordLogin(account, call.field("password"))
    outcome = await answer_login(call, await call.flows.login.password(ask, call.origin))
    if isinstance(outcome, Denied):
        return call.page(
            "login.html", error=outcome, wrong="password", account=account, suggested=await suggested(call)
        )
    return outcome


ROUTES: Final = (
    Route("GET", "/login", get),
    Route("POST", "/login", post, "login.password", Access.LOGIN),
)
