"""Who is calling: the token check, the most frequent thing this server does.

A check is one read. Sessions that slide are written back in the background, many at once and each at most
once a minute; losing that write to a crash costs nobody a login.
"""

from __future__ import annotations

import asyncio

from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.sessions.outcomes import Authenticated, Bearer
from menshen.core.sessions.sessions import TOUCH_EVERY, slid
from menshen.core.time import Instant
from menshen.core.tokens import digest
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.store.sessions import TokenMemory
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World

LONGEST_TOKEN = 100
_GATHER_SECONDS = 0.2


class Touches:
    """Uses of sliding sessions, gathered and written back together."""

    def __init__(self, store: Store) -> None:
        """Write to `store`."""
        self._store = store
        self._waiting: dict[str, tuple[Instant, Instant]] = {}
        self._task: asyncio.Task[None] | None = None

    def note(self, session_id: str, seen_at: Instant, expires_at: Instant) -> None:
        """Remember a use; returns at once."""
        if session_id in self._waiting:
            return
        self._waiting[session_id] = (seen_at, expires_at)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._write_back())

    async def _write_back(self) -> None:
        while self._waiting:
            await asyncio.sleep(_GATHER_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Write back what waits. A store that is away forgets it: the next use notes it again."""
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
    """As `check_token` for whoever is remembered, without waiting for anything; None says nothing about the token."""
    if len(token) > LONGEST_TOKEN:
        return None
    found = memory.recall(digest(token))
    return None if found is None else found.bearer


@use_case(FlowKind.TOKEN_CHECK)
async def check_token(token: str, *, store: Store, world: World, touches: Touches) -> Bearer | None:
    """Whose token it is, or None for a token that is not good now. One read. (docs/contracts/core.md section 3.3.)"""
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
    """The session and account of a token. Denied: UNAUTHENTICATED, or SESSION_EXPIRED for one that lapsed."""
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
