"""Keep the apps in memory: they are few, each call reads them, and they rarely change.

All of them are read together and are valid for `BELIEVED_SECONDS`. A change by this process is read anew at once.
When another process disables an app or replaces its secret, this process knows it within that time. (Decision 0023.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from menshen.core.apps import App
from menshen.ports.store.apps import AppReader

BELIEVED_SECONDS: Final = 0.25


class CachedApps:
    """Implement `AppReader` and `AppMemory` of `menshen.ports.store.apps` over a reader. Use it in one event loop."""

    def __init__(self, inner: AppReader, clock: Callable[[], float]) -> None:
        """Keep the reader. `clock` gives seconds, and goes on while the machine sleeps."""
        self._inner = inner
        self._clock = clock
        self._known = _Directory(())
        self._believed_until = float("-inf")
        self._version = 0

    def forget(self) -> None:
        """Read the apps again after a change."""
        self._version += 1
        self._believed_until = float("-inf")

    def believe(self, until: float) -> None:
        """Trust what is known until then, on this cache's clock."""
        self._believed_until = until

    async def find_by_key(self, appkey: str) -> App | None:
        return (await self._directory()).by_key.get(appkey)

    async def find_by_host(self, host: str) -> App | None:
        return (await self._directory()).by_host.get(host)

    async def find_by_name(self, name: str) -> App | None:
        return (await self._directory()).by_name.get(name)

    async def list_all(self) -> Sequence[App]:
        return (await self._directory()).apps

    def recall(self) -> Sequence[App] | None:
        return self._known.apps if self._clock() < self._believed_until else None

    async def _directory(self) -> _Directory:
        now = self._clock()
        if now < self._believed_until:
            return self._known
        version = self._version
        read = _Directory(await self._inner.list_all())
        # Not when one was changed while the read was under way.
        if version == self._version:
            self._known, self._believed_until = read, now + BELIEVED_SECONDS
        return read


class _Directory:
    __slots__ = ("apps", "by_host", "by_key", "by_name")

    def __init__(self, apps: Sequence[App]) -> None:
        self.apps = apps
        self.by_key = {app.appkey: app for app in apps}
        self.by_host = {app.host: app for app in apps if app.host}
        self.by_name = {app.name: app for app in apps}
