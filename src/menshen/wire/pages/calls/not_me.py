"""Answer the link of a notice: a question by GET, because programs that look at mails open links, the act by POST.

(decision 0080.)
"""

from __future__ import annotations

from typing import Final

from menshen.core.account.security_links import NotMe, SecurityLink
from menshen.wire.pages.answers import Answer
from menshen.wire.pages.call import Call
from menshen.wire.pages.entering import leave
from menshen.wire.pages.routing import Route


async def get(call: Call) -> Answer:
    """Ask, for a link that is live. Unknown, used and old links look alike."""
    found = await call.flows.account.find_link(call.resource, call.origin)
    return call.page("not_me.html", live=isinstance(found, SecurityLink))


async def post(call: Call) -> Answer:
    """Use the link up. The person sets a new password then, or logs in and looks around."""
    done = await call.flows.account.not_me(call.resource, call.origin)
    if not isinstance(done, NotMe):
        return call.page("not_me.html", live=False)
    leave(call)
    if done.password_ended:
        return call.go("/reset", said="notme.reset")
    return call.go("/login", said="notme.log_in", next="/account/security")


ROUTES: Final = (
    Route("GET", "/not-me/{secret}", get, "account.find_link"),
    Route("POST", "/not-me/{secret}", post, "account.not_me"),
)
