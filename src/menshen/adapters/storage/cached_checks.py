"""Answer token checks from memory, as long as the database confirms what is remembered.

A store is wrapped so that `sessions.check` remembers the sessions that it found. An entry is dropped when a transaction
of this process ended its session (before that is acknowledged). Others may end it, by any statement: so each entry has
the instant at which the database last confirmed it, and is believed for `BELIEVED_SECONDS` after that instant. Without
a confirmation the database is asked again. Only "yes" is remembered, never "no".
It must not know the wire, nor how a database confirms. (docs/contracts/core.md section 3.3; decisions 0013 and 0049.)

    miss ── read of the database ──► entry ◄── confirmed again and again ── yes, yes, yes …
                                       │
      ended here, or not confirmed     ┤ dropped      (the answer of a read that was under way meanwhile
      long unused when others wrote    ┘               is not remembered: `version` has moved)
"""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import islice
from typing import Final, TypeVar

from menshen.adapters.storage.cached_apps import CachedApps
from menshen.adapters.storage.cached_pages import CachedPages
from menshen.adapters.storage.changes import Changes, Pool, TellingStore
from menshen.core.audit.events import Tag
from menshen.core.sessions.sessions import TOUCH_EVERY
from menshen.core.time import Instant
from menshen.ports.store.sessions import CheckedToken, SessionReader, TokenMemory
from menshen.ports.store.store import ReadTx, WriteTx
from menshen.ports.world import World

T = TypeVar("T")

BELIEVED_SECONDS: Final = 0.35
"""Of the 0.5 s that a revocation may take: the rest is for answers under way."""

KEPT_SECONDS: Final = 3.0
"""An entry without use is confirmed for so long while others write: that costs about as much as reading it again."""

MOST_ENTRIES: Final = 20_000
"""About 10 MB."""

MOST_AT_ONCE: Final = 1_000
"""So many entries are confirmed by one statement, which takes some 5 ms."""


class Confirmation:
    """Hold the instant at which the database confirmed some entries. They share it."""

    __slots__ = ("at",)

    def __init__(self, at: float) -> None:
        """Take the instant before the question was sent, on the cache's clock."""
        self.at = at


class _Entry:
    __slots__ = ("confirmation", "found", "used_at")

    def __init__(self, found: CheckedToken, confirmation: Confirmation, used_at: float) -> None:
        self.found = found
        self.confirmation = confirmation
        self.used_at = used_at


class ChangeSignal:
    """Share eight bytes among workers of one parent. A worker that ends a session changes them; the others see it."""

    def __init__(self) -> None:
        """Make it before the fork."""
        self._memory = mmap.mmap(-1, 8)

    def raise_signal(self) -> None:
        """Write a word that was never written before. Two workers that raise it together write different words."""
        word = time.monotonic_ns() << 16 | os.getpid() & 0xFFFF
        self._memory[:] = (word & 0xFFFF_FFFF_FFFF_FFFF).to_bytes(8)

    def word(self) -> bytes:
        """Return the last word."""
        return self._memory[:]


class CheckCache:
    """Remember the sessions that recent checks found. Use it in one event loop only."""

    def __init__(self, clock: Callable[[], float], change_signal: ChangeSignal | None = None) -> None:
        """Start empty. `clock` gives seconds, and goes on while the machine sleeps or the process is stopped.

        Workers of one machine share `change_signal`.
        """
        self.clock = clock
        self._signal = change_signal
        self._word = change_signal.word() if change_signal else b""
        self._entries: dict[bytes, _Entry] = {}
        self._by_session: dict[str, bytes] = {}
        self.confirmation = Confirmation(float("-inf"))
        """What a read that begins now takes along to `put`."""
        self.version = 0
        self.hits = 0
        self.misses = 0

    @property
    def silence(self) -> float:
        """Return the seconds since the last confirmation."""
        return self.clock() - self.confirmation.at

    def get(self, token: bytes) -> CheckedToken | None:
        """Return the entry of a token digest, None when the database must be asked."""
        if self._signal is not None and self._signal.word() != self._word:
            self._word = self._signal.word()
            self.drop_all()
        entry = self._entries.get(token)
        now = self.clock()
        if entry is None or now - entry.confirmation.at > BELIEVED_SECONDS:
            self.misses += 1
            return None
        entry.used_at = now
        self.hits += 1
        return entry.found

    def put(self, token: bytes, found: CheckedToken, version: int, confirmation: Confirmation) -> None:
        """Remember what a read found that began at `version` and `confirmation`; not when anything ended since."""
        if version != self.version:
            return
        if len(self._entries) >= MOST_ENTRIES:
            for oldest in list(islice(self._entries, MOST_ENTRIES // 2)):
                self._remove(oldest)
        self._entries[token] = _Entry(found, confirmation, self.clock())
        self._by_session[found.session_id] = token

    # --- what the database confirms -----------------------------------------------------------------------------------

    def confirm_all(self, at: float) -> None:
        """Note that no other process has changed the database between the last confirmation and `at`."""
        self.confirmation.at = at

    async def confirm_used(
        self, at: float, check_all: Callable[[Sequence[bytes]], Awaitable[Mapping[bytes, CheckedToken]]]
    ) -> list[float]:
        """Ask about the entries that were used lately, and drop the others: the database has changed before `at`.

        `check_all` finds those that are live, at `at` or later. Return for how long, at most, each of the others was
        believed after its end.
        """
        confirmation = Confirmation(at)
        asked, ages = self._used_since(at - KEPT_SECONDS), list[float]()
        for start in range(0, len(asked), MOST_AT_ONCE):
            some = asked[start : start + MOST_AT_ONCE]
            live = await check_all([token for token, _ in some])
            for token, entry in some:
                # One that was dropped meanwhile stays so, and one that was put anew is not what the answer is about.
                if self._entries.get(token) is not entry:
                    continue
                found = live.get(token)
                if found is not None and found.session_id == entry.found.session_id:
                    entry.found, entry.confirmation = found, confirmation
                else:
                    ages.append(min(self.clock() - entry.confirmation.at, BELIEVED_SECONDS))
                    self.drop_token(token)
        # Entries with an older confirmation are believed no longer than that says: it moves no more.
        self.confirmation = confirmation
        return ages

    def _used_since(self, at: float) -> list[tuple[bytes, _Entry]]:
        for token in [token for token, entry in self._entries.items() if entry.used_at < at]:
            self._remove(token)
        return list(self._entries.items())

    # --- what ended ---------------------------------------------------------------------------------------------------

    def drop_token(self, token: bytes) -> None:
        """Drop a token whose session ended or got another token."""
        self.version += 1
        self._remove(token)

    def drop_unknown(self, token: bytes) -> None:
        """Drop a token that the database does not know: it stays refused, also when a confirmation comes late."""
        # Tokens that never existed must not prevent the cache from remembering others: they move no version.
        if token in self._entries:
            self.drop_token(token)

    def drop_session(self, session_id: str) -> None:
        """Drop a session that ended."""
        self.version += 1
        if (token := self._by_session.get(session_id)) is not None:
            self._remove(token)

    def drop_account(self, number: int) -> None:
        """Drop an account whose status, roles or proofs changed."""
        self.version += 1
        for token in [t for t, entry in self._entries.items() if entry.found.bearer.account_number == number]:
            self._remove(token)

    def forget(self, changes: Changes) -> None:
        """Drop what a transaction of this process ended, and signal it: other workers forget what they remember."""
        if changes.everything or changes.apps:
            self.drop_all()
        for token in changes.tokens:
            self.drop_token(token)
        for session_id in changes.sessions:
            self.drop_session(session_id)
        for number in changes.accounts:
            self.drop_account(number)
        if self._signal is not None:
            # The word is left unread: another's may stand under it, and must not pass unheard.
            self._signal.raise_signal()

    def drop_all(self) -> None:
        """Drop every entry."""
        self.version += 1
        self._entries, self._by_session = {}, {}

    def _remove(self, token: bytes) -> None:
        if (entry := self._entries.pop(token, None)) is None:
            return
        if self._by_session.get(entry.found.session_id) == token:
            del self._by_session[entry.found.session_id]


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
        version, confirmation = cache.version, cache.confirmation
        found = await self._check(token)
        if found is None:
            cache.drop_unknown(token)
        elif not self._aged(found, self._now()):
            cache.put(token, found, version, confirmation)
        return found

    @staticmethod
    def _aged(found: CheckedToken, now: Instant) -> bool:
        return (
            now >= found.expires_at
            or now >= found.ends_at
            or (found.sliding_ms > 0 and now - found.seen_at >= TOUCH_EVERY)
        )


class _CachedRead:
    """Implement `ReadTx` with cached checks, apps and their pages. Every other repository is the inner one's."""

    def __init__(
        self, inner: ReadTx, cache: CheckCache, apps: CachedApps, app_pages: CachedPages, world: World
    ) -> None:
        self.apps = apps
        self.app_pages = app_pages
        self.sessions = _CachedSessions(inner.sessions, cache, world)
        self.accounts = inner.accounts
        self.codes = inner.codes
        self.counters = inner.counters
        self.devices = inner.devices
        self.outbox = inner.outbox
        self.sender_days = inner.sender_days
        self.audit = inner.audit
        self.traffic = inner.traffic
        self.imports = inner.imports
        self.hash_heads = inner.hash_heads
        self.factors = inner.factors
        self.passkeys = inner.passkeys
        self.recovery_codes = inner.recovery_codes
        self.pending_logins = inner.pending_logins
        self.trusted_devices = inner.trusted_devices
        self.agreements = inner.agreements
        self.security_links = inner.security_links
        self.export_tickets = inner.export_tickets


class CachedStore:
    """Wrap a store: token checks come from `cache` where that is safe, and apps and their pages from memory."""

    def __init__(
        self, inner: TellingStore, cache: CheckCache, world: World, on_close: Callable[[], Awaitable[None]]
    ) -> None:
        """Wrap the inner store. `on_close` ends the task that confirms the cache.

        `on_alarms` gets `Changes.alarms`. `on_messages` is called when a message was put into the outbox.
        """
        self.inner = inner
        self.cache = cache
        self._on_close = on_close
        self.apps = CachedApps(inner.read.apps, cache.clock)
        self.app_pages = CachedPages(inner.read.app_pages, cache.clock)
        self._read = _CachedRead(inner.read, cache, self.apps, self.app_pages, world)
        self.memory: TokenMemory = self._read.sessions
        self.on_alarms: Callable[[Sequence[Tag]], None] = lambda _: None
        self.on_messages: Callable[[], None] = lambda: None
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
        if changes.alarms:
            self.on_alarms(changes.alarms)
        if changes.messages:
            self.on_messages()
        # A work that runs again tells again; forgetting too much costs one read.
        self.cache.forget(changes)
        if changes.apps:
            self.apps.forget()
            self.app_pages.forget()

    async def ready(self) -> bool:
        return await self.inner.ready()

    async def close(self) -> None:
        await self._on_close()
        await self.inner.close()
