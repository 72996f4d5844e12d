"""Answer POST /specimen/logout: end the session of the token that the request carried."""

from __future__ import annotations

from menshen.core.outcomes import Done
from menshen.core.problems import Denied
from menshen.wire.specimen import carrier
from menshen.wire.specimen.call import Call
from menshen.wire.specimen.envelope import Ok, Reply
from menshen.wire.specimen.problems import refuse


async def post_logout(call: Call) -> Reply:
    """Log out."""
    caller = await carrier.identify(call)
    match await call.flows.sessions.log_out(caller, call.origin):
        case Denied() as denied:
            return refuse(denied, call.origin.language)
        case Done():
            return Reply(200, Ok())
