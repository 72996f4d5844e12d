"""List and end the caller's own sessions. A confirmed change is durable."""

from __future__ import annotations

from collections.abc import Sequence

from menshen.core.audit.events import Tag
from menshen.core.factors.freshness import has_fresh_proof
from menshen.core.gates.members import SESSION_CALLS
from menshen.core.outcomes import ActionOutcome, Done
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.sessions.sessions import ListedSession, listed
from menshen.core.time import Instant
from menshen.flows.audit.recording import event_by, event_of
from menshen.flows.gates.holding import hold_caller
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World

_NOT_ME = "not_me"


@use_case(FlowKind.LOOKUP, quota=SESSION_CALLS)
async def list_sessions(
    caller: Authenticated, origin: Origin, *, store: Store, world: World
) -> Sequence[ListedSession] | Denied:
    """List the caller's live sessions, newest first. Denied: TOO_MANY_REQUESTS, by the quota.

    Their addresses are in full only after a proof of identity in the last 10 minutes.
    (docs/contracts/factors.md section 8.)
    """
    now = world.now()
    names = {app.app_id: app.name for app in await store.read.apps.list_all()}
    in_full = has_fresh_proof(caller.account, caller.session, origin.app, now)
    return listed(await store.read.sessions.list_of(caller.account.number), names, now, in_full=in_full)


@use_case(FlowKind.CHANGE)
async def log_out(caller: Authenticated, origin: Origin, *, store: Store, world: World) -> ActionOutcome:
    """End the caller's own session. This succeeds also if a concurrent request ended it first.

    It has no quota: each logout needs a login, and must always be possible.
    """
    now, number = world.now(), caller.account.number
    await store.write(lambda tx: _end(tx, caller.session.session_id, number, origin, now, reason="logout"))
    return Done()


@use_case(
    FlowKind.CHANGE,
    {ProblemCode.NOT_FOUND, ProblemCode.PROOF_REQUIRED, ProblemCode.UNAUTHENTICATED},
    quota=SESSION_CALLS,
)
async def end_session(
    session_id: str, caller: Authenticated, origin: Origin, *, store: Store, world: World
) -> ActionOutcome:
    """End one session of the caller's account by its opaque id. Sessions of other accounts are not found.

    Another session than the caller's own needs a proof of identity in the last 10 minutes, else a thief could lock the
    owner out. Denied: PROOF_REQUIRED, NOT_FOUND. (docs/contracts/factors.md section 8.)

    Raises:
        Problem: UNAUTHENTICATED, if the caller's session ended meanwhile.
    """
    now = world.now()

    async def work(tx: WriteTx) -> ActionOutcome:
        account = await hold_caller(tx, caller)
        is_own = session_id == caller.session.session_id
        if not is_own and not has_fresh_proof(account, caller.session, origin.app, now):
            return Denied(ProblemCode.PROOF_REQUIRED)
        ended = await _end(tx, session_id, account.number, origin, now, reason="ended_by_owner")
        return Done() if ended else Denied(ProblemCode.NOT_FOUND)

    return await store.write(work)


@use_case(
    FlowKind.CHANGE,
    {ProblemCode.NOT_FOUND, ProblemCode.PROOF_REQUIRED, ProblemCode.UNAUTHENTICATED},
    quota=SESSION_CALLS,
)
async def disown_session(
    session_id: str, caller: Authenticated, origin: Origin, *, store: Store, world: World
) -> ActionOutcome:
    """End a session of the caller's account as not the owner's, and all trusted devices and logins that wait.

    It needs what `end_session` needs. The page leads to a new password then: the old one may be known.
    Denied: PROOF_REQUIRED, NOT_FOUND. (decision 0080.)

    Raises:
        Problem: UNAUTHENTICATED, if the caller's session ended meanwhile.
    """
    now = world.now()

    async def work(tx: WriteTx) -> ActionOutcome:
        account = await hold_caller(tx, caller)
        is_own = session_id == caller.session.session_id
        if not is_own and not has_fresh_proof(account, caller.session, origin.app, now):
            return Denied(ProblemCode.PROOF_REQUIRED)
        if not await _end(tx, session_id, account.number, origin, now, reason=_NOT_ME):
            return Denied(ProblemCode.NOT_FOUND)
        trusted = await tx.trusted_devices.end_all(account.number)
        await tx.pending_logins.end_all(account.number)
        event = event_of(Tag.TRUST_REVOKED, origin, now, account=account.number, reason=_NOT_ME)
        await tx.audit.append_all([event] * trusted)
        return Done()

    return await store.write(work)


async def _end(tx: WriteTx, session_id: str, number: int, origin: Origin, now: Instant, *, reason: str) -> bool:
    """End a session of the account, with its event. Return whether there was one to end."""
    ended = await tx.sessions.end(session_id, number)
    if ended:
        await tx.audit.append(
            event_of(Tag.SESSION_ENDED, origin, now, account=number, reason=reason, session_id=session_id)
        )
    return ended


@use_case(FlowKind.CHANGE, {ProblemCode.PROOF_REQUIRED, ProblemCode.UNAUTHENTICATED}, quota=SESSION_CALLS)
async def end_other_sessions(caller: Authenticated, origin: Origin, *, store: Store, world: World) -> ActionOutcome:
    """End all sessions of the caller's account except the caller's own.

    Denied: PROOF_REQUIRED (no proof of identity in the last 10 minutes). (docs/contracts/factors.md section 8.)

    Raises:
        Problem: UNAUTHENTICATED, if the caller's session ended meanwhile.
    """
    now = world.now()

    async def work(tx: WriteTx) -> ActionOutcome:
        account = await hold_caller(tx, caller)
        if not has_fresh_proof(account, caller.session, origin.app, now):
            return Denied(ProblemCode.PROOF_REQUIRED)
        await end_all_sessions(
            tx, account.number, origin, now, reason="ended_by_owner", except_id=caller.session.session_id
        )
        return Done()

    return await store.write(work)


async def end_all_sessions(
    tx: WriteTx, account_number: int, origin: Origin | None, now: Instant, *, reason: str, except_id: str | None = None
) -> None:
    """End an account's sessions in the caller's transaction, each with its event.

    Its pending logins and trusted devices end with them: nothing goes on that was begun before. `origin` is None for an
    administrator. (docs/contracts/factors.md sections 3 and 8.)
    """
    for session_id in await tx.sessions.end_all(account_number, except_id=except_id):
        await tx.audit.append(
            event_by(origin, Tag.SESSION_ENDED, now, account=account_number, reason=reason, session_id=session_id)
        )
    await tx.trusted_devices.end_all(account_number)
    await tx.pending_logins.end_all(account_number)
