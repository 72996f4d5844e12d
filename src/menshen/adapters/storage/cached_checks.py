"""Token checks from memory, as long as what ends is heard of.

A store is wrapped so that `sessions.check` remembers whom it found. Entries leave when a transaction of
this process ended their session (before that is acknowledged), and when the feed of revocations tells
that another process did. An entry is believed only while the feed was heard less than `BELIEVED_SECONDS`
ago: a node that hears nothing asks the database again. Only "yes" is remembered, never "no".
It must not know the wire, nor how revocations travel. (docs/contracts/core.md section 3.3; decision 0013.)

    miss ── read of the database ──► entry ──► yes, yes, yes …
                                       │
      told by this process or the feed ┤ dropped      (the answer of a read that was under way meanwhile
      30 to 60 s old                   ┘               is not remembered: `version` has moved)
"""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar, cast

from menshen.adapters.storage.cached_apps import CachedApps
from menshen.core.apps import App
from menshen.core.sessions.sessions import TOUCH_EVERY
from menshen.core.time import Instant
from menshen.ports.store.sessions import CheckedToken, SessionReader, TokenMemory
from menshen.ports.store.store import ReadTx, Store, WriteTx
from menshen.ports.world import World

T = TypeVar("T")

BELIEVED_SECONDS: Final = 0.35
"""Of the 0.5 s that a revocation may take: the rest is for answers under way."""

GENERATION_SECONDS: Final = 30.0
MOST_ENTRIES: Final = 10_000
"""In each of two generations; about 8 MB together."""

REVOKING: Final[dict[str, frozenset[str]]] = {
    "sessions": frozenset({"open", "rotate", "end", "end_all"}),
    "accounts": frozenset({"set_status", "close"}),
    "upkeep": frozenset({"raise_epoch"}),
}
"""The verbs of a transaction after which a token may be no longer good. A test holds it to the ports."""


class _Generation:
    __slots__ = ("by_session", "tokens")

    def __init__(self) -> None:
        self.tokens: dict[bytes, CheckedToken] = {}
        self.by_session: dict[str, bytes] = {}


class Bell:
    """Eight bytes that workers of one parent share: whoever ends a session rings, the others hear it at once."""

    def __init__(self) -> None:
        """Make it before the fork."""
        self._memory = mmap.mmap(-1, 8)

    def ring(self) -> None:
        """Write what nobody wrote before; two that ring together write different words."""
        word = time.monotonic_ns() << 16 | os.getpid() & 0xFFFF
        self._memory[:] = (word & 0xFFFF_FFFF_FFFF_FFFF).to_bytes(8)

    def word(self) -> bytes:
        """What was rung last."""
        return self._memory[:]


class CheckCache:
    """Whom recent checks found. One event loop only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, bell: Bell | None = None) -> None:
        """`clock` is monotonic, in seconds; `bell` is shared with the other workers of this machine, if any."""
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
        """Seconds since the feed was heard."""
        return self._clock() - self._heard

    def heard(self, at: float) -> None:
        """The feed told everything that was committed by `at`, on this cache's clock."""
        self._heard = at

    def get(self, token: bytes) -> CheckedToken | None:
        """The entry of a token digest, None when the database must be asked."""
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
        """Its session ended or got another token."""
        self.version += 1
        for generation in (self._young, self._old):
            generation.tokens.pop(token, None)

    def drop_unknown(self, token: bytes) -> None:
        """The database knows it no more, whatever the feed has told so far: who was refused is not believed again."""
        # Tokens that nobody ever had must not hold up what is being remembered: they move no version.
        if any(token in generation.tokens for generation in (self._young, self._old)):
            self.drop_token(token)

    def drop_session(self, session_id: str) -> None:
        """It ended."""
        self.version += 1
        for generation in (self._young, self._old):
            if (token := generation.by_session.pop(session_id, None)) is not None:
                generation.tokens.pop(token, None)

    def drop_account(self, number: int) -> None:
        """Its status or roles changed."""
        self.version += 1
        for generation in (self._young, self._old):
            for token in [t for t, found in generation.tokens.items() if found.bearer.account_number == number]:
                del generation.tokens[token]

    def tell_siblings(self) -> None:
        """Something ended here: the other workers forget what they remember, and so does this one."""
        if self._bell is not None:
            # The word is left unread: another's may stand under it, and must not pass unheard.
            self._bell.ring()

    def drop_all(self) -> None:
        """Nothing is known any more."""
        self.version += 1
        self._young, self._old = _Generation(), _Generation()


class _CachedSessions:
    """`SessionReader` whose checks are remembered; everything else is asked as before."""

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
    """A `ReadTx` with cached checks and apps; every other repository is the inner one's."""

    def __init__(self, inner: ReadTx, cache: CheckCache, apps: CachedApps, world: World) -> None:
        self._inner = inner
        self.apps = apps
        self.sessions = _CachedSessions(inner.sessions, cache, world)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class CachedStore:
    """A store whose token checks come from `cache` where that is safe, and whose apps are in memory."""

    def __init__(self, inner: Store, cache: CheckCache, world: World, on_close: Callable[[], Awaitable[None]]) -> None:
        """`on_close` ends what feeds the cache."""
        self.inner = inner
        self.cache = cache
        self._on_close = on_close
        self.apps = CachedApps(inner.read.apps)
        read = _CachedRead(inner.read, cache, self.apps, world)
        self.memory: TokenMemory = read.sessions
        self._read = cast("ReadTx", read)

    @property
    def read(self) -> ReadTx:
        """Reads, checks among them from memory."""
        return self._read

    async def write(self, work: Callable[[WriteTx], Awaitable[T]]) -> T:
        """As the inner store; what it ended is forgotten here before this returns, or fails."""
        notes: list[Callable[[CheckCache], None]] = []

        async def noted(tx: WriteTx) -> T:
            # A work that runs again notes again; forgetting too much costs one read.
            return await work(cast("WriteTx", _NotedTx(tx, notes, self.apps)))

        try:
            return await self.inner.write(noted)
        finally:
            # Also after a failure: whether a COMMIT that was lost on its way happened, nobody knows.
            for note in notes:
                note(self.cache)
            if notes:
                self.cache.tell_siblings()

    async def ready(self) -> bool:
        return await self.inner.ready()

    async def close(self) -> None:
        await self._on_close()
        await self.inner.close()


_Notes = list[Callable[[CheckCache], None]]


class _NotedTx:
    """A `WriteTx` that notes which verbs ended what; everything else passes through untouched."""

    __slots__ = ("_apps", "_inner", "_notes")

    def __init__(self, inner: WriteTx, notes: _Notes, apps: CachedApps) -> None:
        self._inner = inner
        self._notes = notes
        self._apps = apps

    @property
    def apps(self) -> _NotedApps:
        return _NotedApps(self._inner.apps, self._notes, self._apps)

    @property
    def sessions(self) -> _NotedSessions:
        return _NotedSessions(self._inner.sessions, self._notes)

    @property
    def accounts(self) -> _NotedAccounts:
        return _NotedAccounts(self._inner.accounts, self._notes)

    @property
    def upkeep(self) -> _NotedUpkeep:
        return _NotedUpkeep(self._inner.upkeep, self._notes)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Noted:
    __slots__ = ("_inner", "_notes")

    def __init__(self, inner: Any, notes: _Notes) -> None:
        self._inner = inner
        self._notes = notes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def _ended(self, session_ids: Sequence[str]) -> None:
        for session_id in session_ids:
            self._notes.append(lambda cache, ended=session_id: cache.drop_session(ended))  # type: ignore[misc]


class _NotedSessions(_Noted):
    __slots__ = ()

    async def open(self, *args: Any, **kwargs: Any) -> Sequence[str]:
        ended: Sequence[str] = await self._inner.open(*args, **kwargs)
        self._ended(ended)
        return ended

    async def rotate(self, old_token: bytes, *args: Any, **kwargs: Any) -> bool:
        self._notes.append(lambda cache: cache.drop_token(old_token))
        return bool(await self._inner.rotate(old_token, *args, **kwargs))

    async def end(self, session_id: str, account_number: int) -> bool:
        self._ended([session_id])
        return bool(await self._inner.end(session_id, account_number))

    async def end_all(self, *args: Any, **kwargs: Any) -> Sequence[str]:
        ended: Sequence[str] = await self._inner.end_all(*args, **kwargs)
        self._ended(ended)
        return ended


class _NotedAccounts(_Noted):
    __slots__ = ()

    async def set_status(self, number: int, *args: Any, **kwargs: Any) -> bool:
        self._notes.append(lambda cache: cache.drop_account(number))
        return bool(await self._inner.set_status(number, *args, **kwargs))

    async def close(self, number: int, *args: Any, **kwargs: Any) -> bool:
        self._notes.append(lambda cache: cache.drop_account(number))
        return bool(await self._inner.close(number, *args, **kwargs))


class _NotedApps(_Noted):
    __slots__ = ("_known",)

    def __init__(self, inner: Any, notes: _Notes, known: CachedApps) -> None:
        super().__init__(inner, notes)
        self._known = known

    async def add(self, app: App) -> App:
        self._notes.append(lambda _: self._known.forget())
        added: App = await self._inner.add(app)
        return added

    async def save(self, app: App) -> None:
        self._notes.append(lambda _: self._known.forget())
        await self._inner.save(app)


class _NotedUpkeep(_Noted):
    __slots__ = ()

    async def raise_epoch(self) -> int:
        self._notes.append(lambda cache: cache.drop_all())
        return int(await self._inner.raise_epoch())
