"""Change what apps say about their hosted pages. Each change is audited. (Decision 0078.)

Knows settings and logos. Must not know the command line.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import fields, replace
from typing import Any, Final

from menshen.core.apps import App
from menshen.core.audit.events import Tag
from menshen.core.pages.rules import change
from menshen.core.pages.settings import PageSettings, Theme
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import Instant
from menshen.flows.audit.recording import admin_event
from menshen.ports.logos import LogoMaker
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World
from menshen.texts.reader import LANGUAGES

_LOGOS: Final = {Theme.LIGHT: "logo_light", Theme.DARK: "logo_dark"}
"""The field of the logo on each ground."""


async def change_pages(name: str, given: Mapping[str, Any], *, store: Store, world: World) -> PageSettings | Denied:
    """Set fields of the pages of the app with that name, all or none, and return all settings.

    `given` has the fields of `PageSettings`, but no logos. `menshen.core.pages.rules` says what each may hold.
    Denied: NOT_FOUND, or INVALID_REQUEST with `field`.
    """

    async def work(tx: WriteTx, app: App, known: PageSettings) -> PageSettings | Denied:
        return change(known, given, LANGUAGES)

    return await _changed(name, work, store=store, now=world.now())


async def set_logo(
    name: str, theme: Theme, given: bytes, *, store: Store, world: World, logos: LogoMaker
) -> PageSettings | Denied:
    """Give the pages of the app with that name a logo for the LIGHT or DARK theme; b"" takes it away.

    The picture is decoded and written anew before the transaction. A logo that no theme shows any more is deleted.
    Denied: NOT_FOUND; INVALID_REQUEST with `field` logo_light or logo_dark for what is no picture, or too large, and
    with `field` theme for another theme.
    """
    field = _LOGOS.get(theme)
    if field is None:
        return Denied(ProblemCode.INVALID_REQUEST, field="theme")
    made = logos.make(given) if given else None
    if given and made is None:
        return Denied(ProblemCode.INVALID_REQUEST, field=field)

    async def work(tx: WriteTx, app: App, known: PageSettings) -> PageSettings | Denied:
        digest = await tx.app_pages.add_logo(app.app_id, made) if made else ""
        changed: Mapping[str, Any] = {field: digest}
        pages = replace(known, **changed)
        await tx.app_pages.keep_logos(app.app_id, (pages.logo_light, pages.logo_dark))
        return pages

    return await _changed(name, work, store=store, now=world.now())


async def _changed(
    name: str,
    make: Callable[[WriteTx, App, PageSettings], Awaitable[PageSettings | Denied]],
    *,
    store: Store,
    now: Instant,
) -> PageSettings | Denied:
    """Lock the app, and store what `make` makes of the settings that it has."""

    async def work(tx: WriteTx) -> PageSettings | Denied:
        app = await tx.apps.hold(name)
        if app is None:
            return Denied(ProblemCode.NOT_FOUND)
        known = await tx.app_pages.find(app.app_id)
        pages = await make(tx, app, known)
        if isinstance(pages, PageSettings) and pages != known:
            await tx.app_pages.save(app.app_id, pages, now)
            names = sorted(f"pages.{f.name}" for f in fields(pages) if getattr(pages, f.name) != getattr(known, f.name))
            await tx.audit.append(
                admin_event(Tag.APP_CHANGED, now, app_id=app.app_id, shown=app.name, reason=",".join(names))
            )
        return pages

    return await store.write(work)
