"""Store what apps say about their hosted pages, and the logos on them. Page requests and operators read them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from menshen.core.pages.logos import Logo
from menshen.core.pages.settings import PageSettings
from menshen.core.time import Instant


class AppPagesReader(Protocol):
    """Find settings of pages, and logos."""

    async def list_all(self) -> Mapping[int, PageSettings]:
        """Return the settings by the id of their app. An app that is missing has the defaults: no pages.

        What a newer program wrote and this one cannot read are the defaults, too.
        """
        ...

    async def find_logo(self, digest: str) -> Logo | None:
        """Return the stored logo with that name, None for one that is not stored."""
        ...


class AppPages(AppPagesReader, Protocol):
    """Change the pages of an app whose row the transaction has locked (`Apps.hold`). Each is one atomic statement."""

    async def find(self, app_id: int) -> PageSettings:
        """Return what `save` stored, the defaults if that is nothing.

        Raises:
            Problem: UNAVAILABLE, for settings of a newer program: this one would lose them.
        """
        ...

    async def save(self, app_id: int, settings: PageSettings, now: Instant) -> None:
        """Store the settings in place of those before."""
        ...

    async def add_logo(self, app_id: int, logo: Logo) -> str:
        """Store a logo of the app, and return its name, `Logo.digest`. The same one again changes nothing."""
        ...

    async def keep_logos(self, app_id: int, digests: Collection[str]) -> int:
        """Delete the logos of the app that are not among the two `digests`. Return how many there were."""
        ...
