"""Answer the devices of the account: its sessions, the end of one or of all others, and "that was not me"."""

from __future__ import annotations

from typing import Final

from menshen.core.outcomes import ActionOutcome
from menshen.core.problems import Denied, ProblemCode
from menshen.wire.dialect import Access
from menshen.wire.pages.answers import Answer, ProofNeeded, SeeOther
from menshen.wire.pages.call import Call
from menshen.wire.pages.calls.account.listing import shown_sessions
from menshen.wire.pages.entering import leave
from menshen.wire.pages.routing import Route

PAGE: Final = "/account/devices"


async def get(call: Call) -> Answer:
    """List the sessions, this browser's first."""
    return await _show(call)


async def post_end(call: Call) -> Answer:
    """End one session. The end of this browser's own is its logout."""
    session_id = call.field("session")
    refused = _refusal(await call.flows.sessions.end(session_id, call.member, call.origin))
    if refused:
        return await _show(call, refused)
    if session_id == call.member.session.session_id:
        leave(call)
        return call.go("/login", said="logout.done")
    return call.go(PAGE, said="devices.ended")


async def post_disown(call: Call) -> Answer:
    """End a session that its owner did not open, and lead to a new password."""
    refused = _refusal(await call.flows.sessions.disown(call.field("session"), call.member, call.origin))
    if refused:
        return await _show(call, refused)
    call.keep(said="devices.disowned")
    return SeeOther("/account/security#password")


async def get_others(call: Call) -> Answer:
    """Ask whether to end all other sessions, and say how many there are."""
    shown = await shown_sessions(call)
    if isinstance(shown, Denied):
        return await _show(call, shown)
    others = [one for one in shown if not one.own]
    return call.page("account/devices_others.html", others=others) if others else SeeOther(PAGE)


async def post_others(call: Call) -> Answer:
    """End all other sessions."""
    refused = _refusal(await call.flows.sessions.end_others(call.member, call.origin))
    return await _show(call, refused) if refused else call.go(PAGE, said="devices.others_ended")


def _refusal(outcome: ActionOutcome) -> Denied | None:
    """Return the refusal that the page shows, None for success.

    Raises:
        ProofNeeded: the person must prove identity first.
    """
    if not isinstance(outcome, Denied):
        return None
    if outcome.code is ProblemCode.PROOF_REQUIRED:
        raise ProofNeeded
    return outcome


async def _show(call: Call, error: Denied | None = None) -> Answer:
    shown = await shown_sessions(call)
    if isinstance(shown, Denied):
        return call.page("account/devices.html", error=shown, sessions=())
    return call.page("account/devices.html", error=error, sessions=shown)


ROUTES: Final = (
    Route("GET", PAGE, get, "sessions.list", Access.PRIVATE),
    Route("POST", f"{PAGE}/end", post_end, "sessions.end", Access.PRIVATE),
    Route("POST", f"{PAGE}/disown", post_disown, "sessions.disown", Access.PRIVATE),
    Route("GET", f"{PAGE}/others", get_others, "sessions.list", Access.PRIVATE),
    Route("POST", f"{PAGE}/others", post_others, "sessions.end_others", Access.PRIVATE),
)
