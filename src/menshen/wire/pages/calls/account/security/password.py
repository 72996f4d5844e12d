"""Change the password by the old one, or set the first one of an account that has none."""

from __future__ import annotations

from typing import Final

from menshen.core.account.asks import PasswordChange
from menshen.core.problems import Denied, ProblemCode
from menshen.wire.dialect import Access
from menshen.wire.pages.answers import Answer
from menshen.wire.pages.call import Call, invalid
from menshen.wire.pages.calls.account.security.acting import refusal_of
from menshen.wire.pages.calls.account.security.overview import PAGE as SECURITY
from menshen.wire.pages.routing import Route

PAGE: Final = "/account/security/password"
_MOST: Final = 1024


async def get(call: Call) -> Answer:
    """Show the form."""
    return _page(call)


async def post(call: Call) -> Answer:
    """Change the password. This browser stays logged in."""
    old, new = call.field("old", _MOST), call.field("password", _MOST)
    if not new:
        return _page(call, invalid("password"))
    if call.member.account.password_hash:
        ask = PasswordChange(old, new)
        denied = refusal_of(await call.flows.account.change_password(ask, call.member, call.origin))
    else:
        denied = refusal_of(await call.flows.account.set_password(new, call.member, call.origin))
    return _page(call, denied) if denied else call.go(SECURITY, said="security.password_changed")


def _page(call: Call, denied: Denied | None = None) -> Answer:
    account = call.member.account
    wrong = ""
    if denied is not None:
        wrong = "old" if denied.code is ProblemCode.WRONG_CREDENTIALS else "password"
    return call.page(
        "account/security/password.html",
        error=denied,
        wrong=wrong,
        has_password=bool(account.password_hash),
        username=account.username_shown or account.phone or account.email or "",
        minimum=call.origin.password_min,
    )


ROUTES: Final = (
    Route("GET", PAGE, get, access=Access.PRIVATE),
    Route("POST", PAGE, post, "account.change_password", Access.PRIVATE),
)
