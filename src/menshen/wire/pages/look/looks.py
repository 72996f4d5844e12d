"""Make the looks of an app's pages: the sheet with its colour, and the paths of its logos."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from menshen.core.apps import App
from menshen.core.pages.colours import brand_sheet
from menshen.core.pages.settings import STANDARD_BRAND, PageSettings, Theme
from menshen.wire.pages.look.assets import PREFIX, Asset, make_asset


@dataclass(frozen=True, slots=True)
class Looks:
    """Hold the paths that a page of the app names. `sheet` is "" for the standard looks, a logo "" for none."""

    sheet: str
    logo: str
    logo_dark: str


@lru_cache(maxsize=64)
def looks_of(app: App, settings: PageSettings) -> Looks:
    """Return the looks of an app."""
    made = sheet_of(settings)
    light, dark = settings.logo(Theme.LIGHT), settings.logo(Theme.DARK)
    return Looks(
        sheet=f"{PREFIX}/brand/{app.name}-{made.mark}.css" if made.body else "",
        logo=f"{PREFIX}/logo/{light}" if light else "",
        logo_dark=f"{PREFIX}/logo/{dark}" if dark and dark != light else "",
    )


@lru_cache(maxsize=64)
def sheet_of(settings: PageSettings) -> Asset:
    """Return the style sheet of an app's colour; an empty one for the colour that the standard sheet has."""
    sheet = "" if settings.brand == STANDARD_BRAND else brand_sheet(settings.brand)
    return make_asset(sheet.encode(), "text/css; charset=utf-8")
