"""Answer the logout: a question by GET, the end of the session by POST."""

from __future__ import annotations

from typing import Final

from menshen.wire.dialect import Access
from menshen.wire.pages.answers import Answer, SeeOther
from menshen.wire.pages.call import Call
from menshen.wire.pages.entering import leave
from menshen.wire.pages.routing import Route


async def get(call: Call) -> Answer:
    """Ask whether to log out. A person who is logged out already goes on at once."""
    return call.page("logout.html") if call.caller else SeeOther(call.next or "/login")


async def post(call: Call) -> Answer:
    """End the session of the browser, and delete its cookies."""
    if call.caller is not None:
        await call.flows.sessions.log_out(call.caller, call.origin)
    leave(call)
    return SeeOther(call.next) if call.next else call.go("/login", said="logout.done")


ROUTES: Final = (
    Route("GET", "/logout", get),
    Route("POST", "/logout", post, "sessions.log_out", Access.ANYBODY),
)
