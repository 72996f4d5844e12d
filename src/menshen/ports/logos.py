"""Define who turns the pictures that operators give into logos."""

from __future__ import annotations

from typing import Protocol

from menshen.core.pages.logos import Logo


class LogoMaker(Protocol):
    """Read a picture, and write it anew: nothing of the given bytes is stored."""

    def make(self, given: bytes) -> Logo | None:
        """Return the picture within `MOST_SIDE` and `MOST_BYTES` of `menshen.core.pages.logos`, without other data.

        None: `given` is no PNG, JPEG or WebP, or has more bytes or pixels than that module allows. Never raises, for
        any bytes. It computes for up to half a second: call it outside of transactions.
        """
        ...
