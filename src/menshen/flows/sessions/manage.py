"""Seeing and ending one's own sessions. Acknowledged means durable."""

from __future__ import annotations

from collections.abc import Sequence

from menshen.core.audit.events import Tag
from menshen.core.outcomes import ActionOutcome, Done
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.sessions.sessions import ListedSession
from menshen.core.time import Instant
from menshen.flows.audit.recording import event_of
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World


@use_case(FlowKind.LOOKUP)
async def list_sessions(caller: Authenticated, *, store: Store, world: World) -> Sequence[ListedSession]:
    """The caller's live sessions, the newest first."""
    now = world.now()
    names = {app.app_id: app.name for app in await store.read.apps.list_all()}
    sessions = await store.read.sessions.list_of(caller.account.number)
    return [ListedSession(session, names.get(session.app_id, "")) for session in sessions if session.live(now)]


@use_case(FlowKind.CHANGE)
async def log_out(caller: Authenticated, origin: Origin, *, store: Store, world: World) -> ActionOutcome:
    """End the caller's own session. One that a racer ended first is ended all the same."""
    await _end(caller.session.session_id, caller, origin, store, world.now(), reason="logout")
    return Done()


@use_case(FlowKind.CHANGE, {ProblemCode.NOT_FOUND})
async def end_session(
    session_id: str, caller: Authenticated, origin: Origin, *, store: Store, world: World
) -> ActionOutcome:
    """End one session of the caller's account by its opaque id. Sessions of other accounts are not found."""
    ended = await _end(session_id, caller, origin, store, world.now(), reason="ended_by_owner")
    return Done() if ended else Denied(ProblemCode.NOT_FOUND)


async def _end(
    session_id: str, caller: Authenticated, origin: Origin, store: Store, now: Instant, *, reason: str
) -> bool:
    """End a session of the caller's account, with its event. Return whether there was one to end."""
    number = caller.account.number

    async def work(tx: WriteTx) -> bool:
        ended = await tx.sessions.end(session_id, number)
        if ended:
            await tx.audit.append(
                event_of(Tag.SESSION_ENDED, origin, now, account=number, reason=reason, session_id=session_id)
            )
        return ended

    return await store.write(work)


@use_case(FlowKind.CHANGE)
async def end_other_sessions(caller: Authenticated, origin: Origin, *, store: Store, world: World) -> ActionOutcome:
    """End all sessions of the caller's account but the one calling."""
    now = world.now()

    async def work(tx: WriteTx) -> ActionOutcome:
        await end_all_sessions(
            tx, caller.account.number, origin, now, reason="ended_by_owner", except_id=caller.session.session_id
        )
        return Done()

    return await store.write(work)


async def end_all_sessions(
    tx: WriteTx, account_number: int, origin: Origin, now: Instant, *, reason: str, except_id: str | None = None
) -> None:
    """End an account's sessions in the caller's transaction, each with its event."""
    for session_id in await tx.sessions.end_all(account_number, except_id=except_id):
        await tx.audit.append(
            event_of(Tag.SESSION_ENDED, origin, now, account=account_number, reason=reason, session_id=session_id)
        )
