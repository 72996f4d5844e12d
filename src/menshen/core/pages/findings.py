"""Find what is odd about the hosted pages of an app: nothing that keeps a server from starting."""

from __future__ import annotations

from collections.abc import Iterator

from menshen.core.findings import Finding, warning
from menshen.core.pages.colours import palette_of
from menshen.core.pages.settings import PageSettings


def find_page_problems(key: str, pages: PageSettings) -> Iterator[Finding]:
    """Find what `menshen check` tells about the pages of `key`, an app. Pages that are off have no problems."""
    if not pages.on:
        return
    for origin in pages.page_origins:
        if origin.startswith("http:"):
            yield warning(
                key, f"has pages, and returns to {origin}, which is not HTTPS: for trying out on this machine"
            )
    if pages.terms_url and not pages.terms_version:
        yield warning(
            key, "has pages and a terms-url without a terms-version: nobody is asked again when the terms change"
        )
    light = palette_of(pages.brand).light
    if light.changed:
        yield warning(
            key,
            f"has the brand {pages.brand}, which is too light to read on a light ground: its pages show {light.brand}",
        )
