"""Find what an app says about its pages, for each page that is shown. (Decision 0078.)"""

from __future__ import annotations

from menshen.core.pages.logos import Logo
from menshen.core.pages.settings import NO_PAGES, PageSettings
from menshen.core.problems import Denied, ProblemCode
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.store.store import Store


@use_case(FlowKind.ROUTING)
async def pages_of(app_id: int, *, store: Store) -> PageSettings:
    """Return the settings of the app's pages, those of an app without pages if it says nothing.

    They come from memory, the same object until they are read again. The caller refuses pages that are not `on`.
    """
    return (await store.read.app_pages.list_all()).get(app_id, NO_PAGES)


@use_case(FlowKind.ROUTING, {ProblemCode.NOT_FOUND})
async def logo(digest: str, *, store: Store) -> Logo | Denied:
    """Return a logo that an app shows now, by the digest in its settings. Denied: NOT_FOUND."""
    return await store.read.app_pages.find_logo(digest) or Denied(ProblemCode.NOT_FOUND)
