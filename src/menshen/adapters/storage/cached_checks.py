"""Answer token checks from memory, as long as news of ended sessions arrives.

A store is wrapped so that `sessions.check` remembers the sessions that it found. An entry is dropped when a transaction
of this process ended its session (before that is acknowledged). It is dropped, too, when the feed of revocations
reports that another process ended it. An entry is valid only while the last news of the feed is less than
`BELIEVED_SECONDS` old: a node without news asks the database again. Only "yes" is remembered, never "no".
It must not know the wire, nor how revocations travel. (docs/contracts/core.md section 3.3; decision 0013.)

    miss ── read of the database ──► entry ──► yes, yes, yes …
                                       │
      ended, by this process or feed   ┤ dropped      (the answer of a read that was under way meanwhile
      30 to 60 s old                   ┘               is not remembered: `version` has moved)
"""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from menshen.adapters.storage.cached_apps import CachedApps
from menshen.adapters.storage.changes import Changes, Pool, TellingStore
from menshen.core.sessions.sessions import TOUCH_EVERY
from menshen.core.time import Instant
from menshen.ports.store.sessions import CheckedToken, SessionReader, TokenMemory
from menshen.ports.store.store import ReadTx, WriteTx
from menshen.ports.world import World

T = TypeVar("T")

BELIEVED_SECONDS: Final = 0.35
"""Of the 0.5 s that a revocation may take: the rest is for answers under way."""

GENERATION_SECONDS: Final = 30.0
MOST_ENTRIES: Final = 10_000
"""In each of two generations; about 8 MB together."""


class _Generation:
    __slots__ = ("by_session", "tokens")

    def __init__(self) -> None:
        self.tokens: dict[bytes, CheckedToken] = {}
        self.by_session: dict[str, bytes] = {}


class Bell:
    """Share eight bytes among workers of one parent. A worker that ends a session changes them; the others see it."""

    def __init__(self) -> None:
        """Make it before the fork."""
        self._memory = mmap.mmap(-1, 8)

    def ring(self) -> None:
        """Write a word that was never written before. Two workers that ring together write different words."""
        word = time.monotonic_ns() << 16 | os.getpid() & 0xFFFF
        self._memory[:] = (word & 0xFFFF_FFFF_FFFF_FFFF).to_bytes(8)

    def word(self) -> bytes:
        """Return the last word."""
        return self._memory[:]


class CheckCache:
    """Remember the sessions that recent checks found. Use it in one event loop only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, bell: Bell | None = None) -> None:
        """Start empty. `clock` is monotonic, in seconds. The other workers of this machine, if any, share `bell`."""
        self._clock = clock
        self._bell = bell
        self._word = bell.word() if bell else b""
        self._young, self._old = _Generation(), _Generation()
        self._turned = clock()
        self._heard = float("-inf")
        self.version = 0
        self.hits = 0
        self.misses = 0

    @property
    def silence(self) -> float:
        """Return the seconds since the last news of the feed."""
        return self._clock() - self._heard

    def heard(self, at: float) -> None:
        """Note that the feed reported everything that was committed by `at`, on this cache's clock."""
        self._heard = at

    def get(self, token: bytes) -> CheckedToken | None:
        """Return the entry of a token digest, None when the database must be asked."""
        if self._bell is not None and self._bell.word() != self._word:
            self._word = self._bell.word()
            self.drop_all()
        found = self._young.tokens.get(token) or self._old.tokens.get(token)
        if found is None or self._clock() - self._heard > BELIEVED_SECONDS:
            self.misses += 1
            return None
        self.hits += 1
        return found

    def put(self, token: bytes, found: CheckedToken, version: int) -> None:
        """Remember what a read found that began at `version`; not when anything ended since."""
        if version != self.version:
            return
        now = self._clock()
        if now - self._turned > GENERATION_SECONDS or len(self._young.tokens) >= MOST_ENTRIES:
            self._old, self._young, self._turned = self._young, _Generation(), now
        self._young.tokens[token] = found
        self._young.by_session[found.session_id] = token

    def drop_token(self, token: bytes) -> None:
        """Drop a token whose session ended or got another token."""
        self.version += 1
        for generation in (self._young, self._old):
            generation.tokens.pop(token, None)

    def drop_unknown(self, token: bytes) -> None:
        """Drop a token that the database does not know, before or after the feed's report: it stays refused."""
        # Tokens that never existed must not prevent the cache from remembering others: they move no version.
        if any(token in generation.tokens for generation in (self._young, self._old)):
            self.drop_token(token)

    def drop_session(self, session_id: str) -> None:
        """Drop a session that ended."""
        self.version += 1
        for generation in (self._young, self._old):
            if (token := generation.by_session.pop(session_id, None)) is not None:
                generation.tokens.pop(token, None)

    def drop_account(self, number: int) -> None:
        """Drop an account whose status or roles changed."""
        self.version += 1
        for generation in (self._young, self._old):
            for token in [t for t, found in generation.tokens.items() if found.bearer.account_number == number]:
                del generation.tokens[token]

    def forget(self, changes: Changes) -> None:
        """Drop what a transaction of this process ended, and ring: the other workers forget what they remember."""
        if changes.everything:
            self.drop_all()
        for token in changes.tokens:
            self.drop_token(token)
        for session_id in changes.sessions:
            self.drop_session(session_id)
        for number in changes.accounts:
            self.drop_account(number)
        if self._bell is not None:
            # The word is left unread: another's may stand under it, and must not pass unheard.
            self._bell.ring()

    def drop_all(self) -> None:
        """Drop every entry."""
        self.version += 1
        self._young, self._old = _Generation(), _Generation()


class _CachedSessions:
    """Implement `SessionReader` with remembered checks. All other calls go to the inner repository."""

    def __init__(self, inner: SessionReader, cache: CheckCache, world: World) -> None:
        self._check = inner.check
        self._cache = cache
        self._now = world.now
        self.find = inner.find
        self.list_of = inner.list_of
        self.find_spent_refresh = inner.find_spent_refresh

    def recall(self, token: bytes) -> CheckedToken | None:
        known = self._cache.get(token)
        # Lapsed, or due to be noted as used: another node may have moved its instants meanwhile.
        return None if known is None or self._aged(known, self._now()) else known

    async def check(self, token: bytes) -> CheckedToken | None:
        if (known := self.recall(token)) is not None:
            return known
        cache = self._cache
        version = cache.version
        found = await self._check(token)
        if found is None:
            cache.drop_unknown(token)
        elif not self._aged(found, self._now()):
            cache.put(token, found, version)
        return found

    @staticmethod
    def _aged(found: CheckedToken, now: Instant) -> bool:
        return (
            now >= found.expires_at
            or now >= found.ends_at
            or (found.sliding_ms > 0 and now - found.seen_at >= TOUCH_EVERY)
        )


class _CachedRead:
    """Implement `ReadTx` with cached checks and apps. Every other repository is the inner one's."""

    def __init__(self, inner: ReadTx, cache: CheckCache, apps: CachedApps, world: World) -> None:
        self.apps = apps
        self.sessions = _CachedSessions(inner.sessions, cache, world)
        self.accounts = inner.accounts
        self.codes = inner.codes
        self.counters = inner.counters
        self.devices = inner.devices
        self.outbox = inner.outbox
        self.audit = inner.audit
        self.traffic = inner.traffic
        self.imports = inner.imports
        self.hash_heads = inner.hash_heads


class CachedStore:
    """Wrap a store: token checks come from `cache` where that is safe, and apps from memory."""

    def __init__(
        self, inner: TellingStore, cache: CheckCache, world: World, on_close: Callable[[], Awaitable[None]]
    ) -> None:
        """Wrap the inner store. `on_close` ends what feeds the cache."""
        self.inner = inner
        self.cache = cache
        self._on_close = on_close
        self.apps = CachedApps(inner.read.apps)
        self._read = _CachedRead(inner.read, cache, self.apps, world)
        self.memory: TokenMemory = self._read.sessions
        inner.on_commit = self._forget

    @property
    def read(self) -> ReadTx:
        """Run reads; checks come from memory."""
        return self._read

    @property
    def connections(self) -> Pool | None:
        """Return the connections of the inner store, for the metrics."""
        return self.inner.connections

    async def write(self, work: Callable[[WriteTx], Awaitable[T]]) -> T:
        """Write as the inner store does. This cache drops the ended sessions before the call returns or fails."""
        return await self.inner.write(work)

    def _forget(self, changes: Changes) -> None:
        # A work that runs again tells again; forgetting too much costs one read.
        self.cache.forget(changes)
        if changes.apps:
            self.apps.forget()

    async def ready(self) -> bool:
        return await self.inner.ready()

    async def close(self) -> None:
        await self._on_close()
        await self.inner.close()
