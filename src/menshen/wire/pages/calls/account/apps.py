"""Answer the apps of the account: which of them have sessions, when they were used, and the end of one's sessions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from menshen.core.problems import Denied, ProblemCode
from menshen.wire.dialect import Access
from menshen.wire.pages.answers import Answer, ProofNeeded
from menshen.wire.pages.call import Call
from menshen.wire.pages.calls.account.listing import ShownSession, shown_sessions
from menshen.wire.pages.calls.account.moments import Moment
from menshen.wire.pages.routing import Route

PAGE: Final = "/account/apps"


@dataclass(frozen=True, slots=True)
class UsedApp:
    """Hold one app: its name, how many sessions it has, and when one was used last.

    `own` says that this browser's session is one of them. `others` are those that can be ended here.
    """

    key: str
    name: str
    count: int
    last: Moment | None
    own: bool
    others: int


async def get(call: Call) -> Answer:
    """List the apps, the one that was used last first."""
    return await _show(call)


async def post_end(call: Call) -> Answer:
    """End the sessions of one app, but for this browser's own."""
    shown = await shown_sessions(call)
    if isinstance(shown, Denied):
        return await _show(call, shown)
    key, ended = call.field("app"), 0
    for session in shown:
        if session.app_key == key and not session.own:
            outcome = await call.flows.sessions.end(session.id, call.member, call.origin)
            # One that ended meanwhile is what was asked for.
            if isinstance(outcome, Denied) and outcome.code is not ProblemCode.NOT_FOUND:
                if outcome.code is ProblemCode.PROOF_REQUIRED:
                    raise ProofNeeded
                return await _show(call, outcome)
            ended += 1
    return call.go(PAGE, said="apps.ended") if ended else await _show(call, Denied(ProblemCode.NOT_FOUND))


async def _show(call: Call, error: Denied | None = None) -> Answer:
    shown = await shown_sessions(call)
    if isinstance(shown, Denied):
        return call.page("account/apps.html", error=shown, apps=())
    return call.page("account/apps.html", error=error, apps=tuple(_used(shown)))


def _used(shown: Sequence[ShownSession]) -> Iterator[UsedApp]:
    newest = sorted(shown, key=lambda one: -one.seen_at)
    order = {one.app_key: place for place, one in reversed(list(enumerate(newest)))}
    for key, group in groupby(sorted(newest, key=lambda one: order[one.app_key]), key=lambda one: one.app_key):
        sessions = list(group)
        own = any(one.own for one in sessions)
        yield UsedApp(key, sessions[0].app, len(sessions), sessions[0].last, own, len(sessions) - own)


ROUTES: Final = (
    Route("GET", PAGE, get, "sessions.list", Access.PRIVATE),
    Route("POST", f"{PAGE}/end", post_end, "sessions.end", Access.PRIVATE),
)
