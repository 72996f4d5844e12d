"""Make a brand colour readable on a light and on a dark ground, and write the style sheet that says so.

A colour is mixed with black for the light ground, or with white for the dark one, in as few steps as it takes. Then
its contrast is at least 4.5 with each ground that it is written on, and with the ink that is written on it.
It must not know an app or a page. (WCAG 2.2, 1.4.3; decision 0078.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

LEAST: Final = 4.5
"""The least contrast of a text with its ground."""

COLOUR: Final = re.compile(r"#[0-9a-f]{6}", re.ASCII)
"""How a colour is written."""

_LIGHT_GROUNDS: Final = ("#f5f4f1", "#ffffff", "#f7f6f3")
_DARK_GROUNDS: Final = ("#121316", "#1a1c20", "#212429")
_STEPS: Final = 100

_Rgb = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Shades:
    """Hold the colours of one ground, each as `#rrggbb`.

    `brand` is for texts and surfaces, and `ink` is written on it. `soft` is a tinted surface that `brand` can be
    written on, and `line` is the edge of such a surface. `changed`: `brand` is not the colour that was given.
    """

    brand: str
    ink: str
    soft: str
    line: str
    changed: bool

    @property
    def properties(self) -> str:
        """Return them as custom properties of a style sheet."""
        return f"--brand: {self.brand}; --brand-ink: {self.ink}; --brand-soft: {self.soft}; --brand-line: {self.line};"


@dataclass(frozen=True, slots=True)
class Palette:
    """Hold what one brand colour is on a light and on a dark ground. No colour is readable on both unchanged."""

    light: Shades
    dark: Shades


def palette_of(brand: str) -> Palette:
    """Return the shades of a colour such as "#2c4a9e".

    Raises:
        ValueError: `brand` is no such colour.
    """
    if not COLOUR.fullmatch(brand):
        raise ValueError(f"{brand!r} is no colour such as #2c4a9e")
    return Palette(_light(brand), _dark(brand))


def brand_sheet(brand: str) -> str:
    """Return the style sheet of a brand colour: its custom properties for both themes.

    `data-theme` of the root, "light" or "dark", takes the place of what the browser prefers. Raises as `palette_of`.
    """
    palette = palette_of(brand)
    dark = palette.dark.properties
    return (
        f":root {{ {palette.light.properties} }}\n"
        f'@media (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) {{ {dark} }} }}\n'
        f':root[data-theme="dark"] {{ {dark} }}\n'
    )


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21. (WCAG 2.2, contrast ratio.)"""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _light(brand: str) -> Shades:
    for shade in _towards(brand, "#000000"):
        soft = _mixed("#ffffff", shade, 0.10)
        # What can be read on these grounds can be written on with white, too: no ground is lighter.
        if _reads(shade, *_LIGHT_GROUNDS, soft):
            return Shades(shade, "#ffffff", soft, _mixed("#ffffff", shade, 0.28), shade != brand)
    raise AssertionError("black can be read on a light ground")


def _dark(brand: str) -> Shades:
    for shade in _towards(brand, "#ffffff"):
        soft, ink = _mixed("#1a1c20", shade, 0.12), _mixed("#000000", shade, 0.10)
        if _reads(shade, *_DARK_GROUNDS, soft, ink):
            return Shades(shade, ink, soft, _mixed("#1a1c20", shade, 0.28), shade != brand)
    raise AssertionError("white can be read on a dark ground")


def _reads(text: str, *grounds: str) -> bool:
    return all(contrast(text, ground) >= LEAST for ground in grounds)


def _towards(colour: str, end: str) -> Iterator[str]:
    for step in range(_STEPS + 1):
        yield _mixed(colour, end, step / _STEPS)


def _mixed(first: str, second: str, share: float) -> str:
    """Return a mixture of two colours, of which the second one has `share` (0 to 1)."""
    mixed = (round(a + (b - a) * share) for a, b in zip(_rgb(first), _rgb(second), strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _rgb(colour: str) -> _Rgb:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(part / 255) for part in _rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
