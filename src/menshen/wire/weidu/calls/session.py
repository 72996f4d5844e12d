"""Manage the caller's sessions: POST /users/logout, GET and DELETE /users/sessions.

(docs/contracts/weidu.md section 5.9.)
"""

from __future__ import annotations

from menshen.core.outcomes import ActionOutcome, Done
from menshen.core.problems import Denied
from menshen.wire.weidu import carrier
from menshen.wire.weidu.call import PrivateCall
from menshen.wire.weidu.decode import NoBody
from menshen.wire.weidu.envelope import Header, Ok, Reply, ok
from menshen.wire.weidu.records import SessionInfo, session_info


class SessionsAnswer(Ok, frozen=True, kw_only=True):
    """Answer the live sessions of the caller, newest first."""

    sessions: list[SessionInfo]


async def post_logout(call: PrivateCall, body: NoBody) -> Reply:
    """End this session and delete its cookies."""
    return await _answer(call, await call.flows.sessions.log_out(call.caller, call.origin), carrier.clear(call))


async def get_all(call: PrivateCall, body: NoBody) -> Reply:
    """List the caller's own sessions. Without a fresh proof, addresses are shortened."""
    sessions = await call.flows.sessions.list(call.caller, call.origin)
    if isinstance(sessions, Denied):
        return await call.refuse(sessions)
    current = call.caller.session.session_id
    return ok(SessionsAnswer(sessions=[session_info(listed, current) for listed in sessions]))


async def delete_one(call: PrivateCall, body: NoBody) -> Reply:
    """End one of the caller's own sessions. Another than this one needs a fresh proof."""
    return await _answer(call, await call.flows.sessions.end(call.resource, call.caller, call.origin))


async def delete_others(call: PrivateCall, body: NoBody) -> Reply:
    """End all sessions but this one. It needs a fresh proof."""
    return await _answer(call, await call.flows.sessions.end_others(call.caller, call.origin))


async def _answer(call: PrivateCall, outcome: ActionOutcome, headers: tuple[Header, ...] = ()) -> Reply:
    match outcome:
        case Denied() as denied:
            return await call.refuse(denied)
        case Done():
            return ok(headers=headers)
