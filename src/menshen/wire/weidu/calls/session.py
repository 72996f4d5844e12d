"""POST /users/logout, GET and DELETE /users/sessions: one's own logins. (docs/contracts/weidu.md section 5.9.)"""

from __future__ import annotations

from menshen.core.outcomes import ActionOutcome, Done
from menshen.core.problems import Denied
from menshen.wire.weidu import carrier
from menshen.wire.weidu.call import PrivateCall
from menshen.wire.weidu.decode import NoBody
from menshen.wire.weidu.envelope import Header, Ok, Reply, ok
from menshen.wire.weidu.records import SessionInfo, session_info


class SessionsAnswer(Ok, frozen=True, kw_only=True):
    """The live sessions of the caller, the newest first."""

    sessions: list[SessionInfo]


async def post_logout(call: PrivateCall, body: NoBody) -> Reply:
    """Ends this session, and has browsers forget its cookies."""
    return await _answer(call, await call.flows.sessions.log_out(call.caller, call.origin), carrier.clear(call))


async def get_all(call: PrivateCall, body: NoBody) -> Reply:
    """The caller's own; nobody sees another's."""
    sessions = await call.flows.sessions.list(call.caller)
    current = call.caller.session.session_id
    return ok(SessionsAnswer(sessions=[session_info(listed, current) for listed in sessions]))


async def delete_one(call: PrivateCall, body: NoBody) -> Reply:
    """Ends one of the caller's own; another's is not found."""
    return await _answer(call, await call.flows.sessions.end(call.resource, call.caller, call.origin))


async def delete_others(call: PrivateCall, body: NoBody) -> Reply:
    """Ends all but this one."""
    return await _answer(call, await call.flows.sessions.end_others(call.caller, call.origin))


async def _answer(call: PrivateCall, outcome: ActionOutcome, headers: tuple[Header, ...] = ()) -> Reply:
    match outcome:
        case Denied() as denied:
            return await call.refuse(denied)
        case Done():
            return ok(headers=headers)
