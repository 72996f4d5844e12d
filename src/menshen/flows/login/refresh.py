"""Rotate a token with its refresh token. (docs/contracts/careyshop.md section 5.1, RFC 9700 section 4.14.)

One transaction invalidates the old pair and stores the new one, so no fault leaves a client without a valid pair. A
spent pair that returns within 30 s is the retry of a client whose answer was lost. From the same app and network it
gets the same new pair again (flows.login.retry). After that it may come from a thief or from the victim. The two look
the same, so the session ends.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from menshen.core.audit.events import Tag
from menshen.core.gates.members import pay_refresh, refresh_wait
from menshen.core.keys import Keyring
from menshen.core.login.outcomes import Granted, LoginOutcome
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.sessions import REUSE_GRACE
from menshen.core.time import Instant, after
from menshen.core.tokens import TOKEN_BYTES, digest, spell
from menshen.flows.audit.recording import event_of
from menshen.flows.background.clock import ClockWatch
from menshen.flows.login.retry import answer_again, shown_with
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.sealing import Sealer
from menshen.ports.store.sessions import SpentRefresh
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World


@use_case(
    FlowKind.LOGIN,
    {
        ProblemCode.UNAUTHENTICATED,
        ProblemCode.REFRESH_INVALID,
        ProblemCode.REFRESH_EXPIRED,
        ProblemCode.TOO_MANY_REQUESTS,
    },
    method="refresh",
)
async def refresh(
    token: str,
    refresh_token: str,
    origin: Origin,
    *,
    store: Store,
    world: World,
    keyring: Keyring,
    sealer: Sealer,
    policy: Policy,
    clocks: ClockWatch,
) -> LoginOutcome:
    """Replace the old pair by a new one, also if the token has expired but its refresh token has not.

    A pair that was replaced within 30 s gives the same new one, to the same app and network. That extends nothing.
    Denied: UNAUTHENTICATED (unknown token), REFRESH_INVALID, REFRESH_EXPIRED, TOO_MANY_REQUESTS. After the latter the
    pair is good as before. (decision 0055.)
    """
    now = world.now()
    old_token, old_refresh = digest(token), digest(refresh_token)
    shown = shown_with(token, refresh_token, origin)
    again = partial(
        answer_again, shown=shown, origin=origin, now=now, store=store, keyring=keyring, sealer=sealer, policy=policy,
        clocks=clocks,
    )  # fmt: skip
    found = await store.read.sessions.find(old_token)
    spent = await store.read.sessions.find_spent_refresh(old_refresh)
    if spent is not None:
        if granted := await again(spent):
            return granted
        # By a doubted clock it is refused only. A retry at a node whose clock is ahead is no theft.
        if clocks.shared - spent.spent_at > REUSE_GRACE and not clocks.doubted:
            await _end_reused(store, origin, spent, now)
        return Denied(ProblemCode.REFRESH_INVALID if found else ProblemCode.UNAUTHENTICATED)
    if found is None:
        return Denied(ProblemCode.UNAUTHENTICATED)
    session, account = found
    # Counted in the row that this token finds. Of all callers with one pair only one writes the row, and each refresh
    # changes the pair: so no refresh escapes the count.
    # By a doubted clock nothing is paid: what is paid by a clock that is ahead would have to be waited for afterwards.
    paid_until = session.refresh_paid_until
    if not clocks.doubted:
        paid_until = pay_refresh(paid_until, now, policy.limits.refreshes_per_session)
        if wait := refresh_wait(paid_until, now):
            return Denied(ProblemCode.TOO_MANY_REQUESTS, wait)
    # A clock that is behind must not shorten the session.
    since = now if now >= session.seen_at else max(now, min(session.seen_at, clocks.certain))
    lifetimes = origin.rules.lifetimes
    new_token = spell(world.token_bytes(TOKEN_BYTES), origin.rules.style)
    new_refresh = spell(world.token_bytes(TOKEN_BYTES), origin.rules.style)
    renewed = replace(
        session,
        seen_at=now,
        expires_at=after(since, lifetimes.idle),
        ends_at=after(since, lifetimes.absolute),
        refresh_expires_at=after(since, lifetimes.refresh),
        refreshes=session.refreshes + 1,
        refresh_paid_until=paid_until,
    )

    async def rotate(tx: WriteTx) -> ProblemCode | None:
        refreshable = session.refreshable(now)
        if not refreshable and session.refresh_expires_at and await tx.sessions.holds(old_token, old_refresh):
            return ProblemCode.REFRESH_EXPIRED
        if not refreshable or not await tx.sessions.rotate(
            old_token,
            old_refresh,
            digest(new_token),
            digest(new_refresh),
            renewed,
            spent_at=clocks.shared,
            successor=sealed,
        ):
            return ProblemCode.REFRESH_INVALID
        await tx.audit.append(
            event_of(Tag.SESSION_REFRESHED, origin, now, account=account.number, session_id=session.session_id)
        )
        return None

    sealed = sealer.seal_for(shown, new_token + new_refresh)
    if refusal := await store.write(rotate):
        # A concurrent refresh was first, or the session has ended: then this token is invalid by now.
        spent = await store.read.sessions.find_spent_refresh(old_refresh)
        if spent is not None and (granted := await again(spent)):
            return granted
        still_there = await store.read.sessions.find(old_token)
        return Denied(refusal if still_there else ProblemCode.UNAUTHENTICATED)
    return Granted(account, renewed, new_token, keyring.csrf(session.session_id), new_refresh)


async def _end_reused(store: Store, origin: Origin, spent: SpentRefresh, now: Instant) -> None:
    async def end(tx: WriteTx) -> None:
        if await tx.sessions.end(spent.session_id, spent.account_number):
            for tag in (Tag.REFRESH_REUSED, Tag.SESSION_ENDED):
                await tx.audit.append(
                    event_of(
                        tag, origin, now, account=spent.account_number, reason="refresh_reused",
                        session_id=spent.session_id,
                    )
                )  # fmt: skip

    await store.write(end)
