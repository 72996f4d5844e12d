"""Show the secret of a factor that was just begun: as text in groups, and as a QR code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from menshen.wire.pages.look.qr_code import draw_qr

_MOST: Final = 400


@dataclass(frozen=True, slots=True)
class ShownFactor:
    """Hold what a page shows once. `svg` is the QR code of `uri`, "" where there is none."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)
    svg: str = field(repr=False)

    @property
    def groups(self) -> str:
        """Return the secret in groups of four, as people read and type it."""
        return " ".join(self.secret[place : place + 4] for place in range(0, len(self.secret), 4))


def show_factor(shown: Mapping[str, str]) -> ShownFactor:
    """Return what a page shows of a factor that was begun."""
    uri = shown.get("uri", "")
    drawn = draw_qr(uri) if uri.startswith("otpauth://") and len(uri) <= _MOST else ""
    return ShownFactor(shown.get("secret", ""), uri, drawn)
