"""Rotate a token with its refresh token. (docs/contracts/careyshop.md section 5.1, RFC 9700 section 4.14.)

One transaction: the old pair is dead and the new one durable together, so no fault leaves a client with
neither. A spent refresh within 30 s is a retry and is only refused; later it is a thief's or a victim's,
nobody can tell which, and the session ends.
"""

from __future__ import annotations

from dataclasses import replace

from menshen.core.audit.events import Tag
from menshen.core.keys import Keyring
from menshen.core.login.outcomes import Granted, LoginOutcome
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.sessions import REUSE_GRACE
from menshen.core.time import Instant, after
from menshen.core.tokens import TOKEN_BYTES, digest, spell
from menshen.flows.audit.recording import event_of
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World


@use_case(
    FlowKind.LOGIN,
    {ProblemCode.UNAUTHENTICATED, ProblemCode.REFRESH_INVALID, ProblemCode.REFRESH_EXPIRED},
    method="refresh",
)
async def refresh(
    token: str, refresh_token: str, origin: Origin, *, store: Store, world: World, keyring: Keyring
) -> LoginOutcome:
    """A new pair in the place of the old, also for a token that expired while its refresh has not.

    Denied: UNAUTHENTICATED (unknown token, or a racer that lost), REFRESH_INVALID, REFRESH_EXPIRED.
    """
    now = world.now()
    old_token, old_refresh = digest(token), digest(refresh_token)
    found = await store.read.sessions.find(old_token)
    spent = await store.read.sessions.find_spent_refresh(old_refresh)
    if spent is not None:
        session_id, account_number, spent_at = spent
        await _judge_reuse(store, origin, session_id, account_number, spent_at, now)
        return Denied(ProblemCode.REFRESH_INVALID if found else ProblemCode.UNAUTHENTICATED)
    if found is None:
        return Denied(ProblemCode.UNAUTHENTICATED)
    session, account = found
    lifetimes = origin.rules.lifetimes
    new_token = spell(world.token_bytes(TOKEN_BYTES), origin.rules.style)
    new_refresh = spell(world.token_bytes(TOKEN_BYTES), origin.rules.style)
    renewed = replace(
        session,
        seen_at=now,
        expires_at=after(now, lifetimes.idle),
        ends_at=after(now, lifetimes.absolute),
        refresh_expires_at=after(now, lifetimes.refresh),
    )

    async def rotate(tx: WriteTx) -> ProblemCode | None:
        refreshable = session.refreshable(now)
        if not refreshable and session.refresh_expires_at and await tx.sessions.holds(old_token, old_refresh):
            return ProblemCode.REFRESH_EXPIRED
        if not refreshable or not await tx.sessions.rotate(
            old_token, old_refresh, digest(new_token), digest(new_refresh), renewed
        ):
            return ProblemCode.REFRESH_INVALID
        await tx.audit.append(
            event_of(Tag.SESSION_REFRESHED, origin, now, account=account.number, session_id=session.session_id)
        )
        return None

    if refusal := await store.write(rotate):
        # A racer that lost holds a token that is dead by now: it hears what every dead token hears.
        still_there = await store.read.sessions.find(old_token)
        return Denied(refusal if still_there else ProblemCode.UNAUTHENTICATED)
    return Granted(account, renewed, new_token, keyring.csrf(session.session_id), new_refresh)


async def _judge_reuse(
    store: Store, origin: Origin, session_id: str, account_number: int, spent_at: Instant, now: Instant
) -> None:
    if now - spent_at <= REUSE_GRACE:
        return

    async def end(tx: WriteTx) -> None:
        if await tx.sessions.end(session_id, account_number):
            for tag in (Tag.REFRESH_REUSED, Tag.SESSION_ENDED):
                await tx.audit.append(
                    event_of(tag, origin, now, account=account_number, reason="refresh_reused", session_id=session_id)
                )

    await store.write(end)
