"""Check tokens, the most frequent operation of this server.

A check is one read. Uses of sliding sessions are written back in the background, in batches, each session at most once
a minute. If a crash loses such a write, no user is logged out.
"""

from __future__ import annotations

import asyncio

from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.sessions.outcomes import Authenticated, Bearer
from menshen.core.sessions.sessions import TOUCH_EVERY, slid
from menshen.core.time import Instant
from menshen.core.tokens import digest
from menshen.flows.background.clock import ClockWatch
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.store.sessions import TokenMemory
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World

LONGEST_TOKEN = 100
_GATHER_SECONDS = 0.2


class Touches:
    """Collect uses of sliding sessions, and write them back together."""

    def __init__(self, store: Store, clocks: ClockWatch) -> None:
        """Write to `store`, unless the clock has leapt."""
        self._store = store
        self._clocks = clocks
        self._waiting: dict[str, tuple[Instant, Instant]] = {}
        self._task: asyncio.Task[None] | None = None

    def note(self, session_id: str, seen_at: Instant, expires_at: Instant) -> None:
        """Remember a use. Return at once."""
        # A use at a wrong time would hide the right ones until that time has come.
        if session_id in self._waiting or self._clocks.leapt:
            return
        self._waiting[session_id] = (seen_at, expires_at)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._write_back())

    async def _write_back(self) -> None:
        while self._waiting:
            await asyncio.sleep(_GATHER_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Write back what waits. If the store is unavailable, it is dropped, and the next use is noted again."""
        batch, self._waiting = self._waiting, {}

        async def work(tx: WriteTx) -> None:
            for session_id, (seen_at, expires_at) in batch.items():
                await tx.sessions.touch(session_id, seen_at, expires_at)

        if batch:
            try:
                await self._store.write(work)
            except Problem:
                return

    async def close(self) -> None:
        """Write back what waits, and stop."""
        if self._task is not None:
            self._task.cancel()
        await self.flush()


@use_case(FlowKind.TOKEN_CHECK)
def recall_token(token: str, *, memory: TokenMemory) -> Bearer | None:
    """Answer as `check_token` does, but from memory alone and at once. None says nothing about the token."""
    if len(token) > LONGEST_TOKEN:
        return None
    found = memory.recall(digest(token))
    return None if found is None else found.bearer


@use_case(FlowKind.TOKEN_CHECK)
async def check_token(token: str, *, store: Store, world: World, touches: Touches) -> Bearer | None:
    """Return the bearer of a token, or None if it is not valid now. One read. (docs/contracts/core.md section 3.3.)"""
    if not token or len(token) > LONGEST_TOKEN:
        return None
    found = await store.read.sessions.check(digest(token))
    if found is None:
        return None
    now = world.now()
    if now >= found.expires_at or now >= found.ends_at:
        return None
    if found.sliding_ms and now - found.seen_at >= TOUCH_EVERY:
        touches.note(found.session_id, now, slid(now, found.ends_at, found.sliding_ms))
    return found.bearer


@use_case(FlowKind.LOOKUP, {ProblemCode.UNAUTHENTICATED, ProblemCode.SESSION_EXPIRED})
async def authenticate(token: str, *, store: Store, world: World, touches: Touches) -> Authenticated | Denied:
    """Return the session and account of a token. Denied: UNAUTHENTICATED, or SESSION_EXPIRED if it has expired."""
    if not token or len(token) > LONGEST_TOKEN:
        return Denied(ProblemCode.UNAUTHENTICATED)
    found = await store.read.sessions.find(digest(token))
    if found is None:
        return Denied(ProblemCode.UNAUTHENTICATED)
    session, account = found
    now = world.now()
    if not session.live(now):
        return Denied(ProblemCode.SESSION_EXPIRED)
    if session.due_for_touch(now):
        touches.note(session.session_id, now, slid(now, session.ends_at, session.sliding_ms))
    return Authenticated(session, account)
