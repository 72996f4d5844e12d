"""Keep what apps say about their hosted pages in memory, so that a page costs no statement.

All settings are read together and are valid as long as apps are: a change by another process is known within
`BELIEVED_SECONDS` of `cached_apps`, one by this process at once. A logo has the name of its bytes, so it never changes;
it is known as long as the settings name it. A name that no settings have is refused without a statement.
(Decision 0078.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from menshen.adapters.storage.cached_apps import BELIEVED_SECONDS
from menshen.core.pages.logos import Logo
from menshen.core.pages.settings import PageSettings
from menshen.ports.store.pages.app_pages import AppPagesReader

MOST_LOGOS: Final = 64
"""At most 4 MB. Further logos are read when they are asked for."""


class CachedPages:
    """Implement `AppPagesReader` of `menshen.ports.store.pages.app_pages` over a reader. Use it in one event loop."""

    def __init__(self, inner: AppPagesReader, clock: Callable[[], float]) -> None:
        """Keep the reader. `clock` gives seconds, and goes on while the machine sleeps."""
        self._inner = inner
        self._clock = clock
        self._known: Mapping[int, PageSettings] = {}
        self._named: frozenset[str] = frozenset()
        self._logos: dict[str, Logo] = {}
        self._believed_until = float("-inf")
        self._version = 0

    def forget(self) -> None:
        """Read the settings again after a change."""
        self._version += 1
        self._believed_until = float("-inf")

    def believe(self, until: float) -> None:
        """Trust what is known until then, on this cache's clock."""
        self._believed_until = until

    async def list_all(self) -> Mapping[int, PageSettings]:
        now = self._clock()
        if now < self._believed_until:
            return self._known
        version = self._version
        read = await self._inner.list_all()
        # Not when they were changed while the read was under way.
        if version == self._version:
            self._known, self._believed_until = read, now + BELIEVED_SECONDS
            self._named = _logos_of(read)
            self._logos = {digest: logo for digest, logo in self._logos.items() if digest in self._named}
        return read

    async def find_logo(self, digest: str) -> Logo | None:
        read = await self.list_all()
        named = self._named if read is self._known else _logos_of(read)
        if digest not in named:
            return None
        known = self._logos.get(digest)
        if known is None and (known := await self._inner.find_logo(digest)) and len(self._logos) < MOST_LOGOS:
            self._logos[digest] = known
        return known


def _logos_of(settings: Mapping[int, PageSettings]) -> frozenset[str]:
    return frozenset(name for each in settings.values() for name in (each.logo_light, each.logo_dark) if name)
