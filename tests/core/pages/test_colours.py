"""Brand colours that people can read on both grounds."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from menshen.core.pages.colours import LEAST, brand_sheet, contrast, palette_of

COLOURS = st.integers(0, 0xFFFFFF).map("#{:06x}".format)
LIGHT_GROUNDS = ("#f5f4f1", "#ffffff", "#f7f6f3")
DARK_GROUNDS = ("#121316", "#1a1c20", "#212429")
"""As the style sheet of the pages has them."""


@given(COLOURS)
@example("#000000")
@example("#ffffff")
@example("#ffff00")
@example("#0000ff")
def test_every_colour_becomes_one_that_can_be_read(brand: str) -> None:
    palette = palette_of(brand)
    for shades, grounds in ((palette.light, LIGHT_GROUNDS), (palette.dark, DARK_GROUNDS)):
        for ground in (*grounds, shades.soft, shades.ink):
            assert contrast(shades.brand, ground) >= LEAST
        assert shades.changed is (shades.brand != brand)


@given(COLOURS)
def test_a_colour_that_can_be_read_stays_as_it_is(brand: str) -> None:
    palette = palette_of(brand)
    for shades in (palette.light, palette.dark):
        again = palette_of(shades.brand)
        assert (again.light if shades is palette.light else again.dark).brand == shades.brand


@given(COLOURS)
def test_no_colour_can_be_read_on_both_grounds(brand: str) -> None:
    palette = palette_of(brand)
    assert palette.light.changed or palette.dark.changed


def test_a_colour_keeps_its_hue_and_moves_no_further_than_it_must() -> None:
    assert palette_of("#2c4a9e").light.brand == "#2c4a9e"
    yellow = palette_of("#ffcc00")
    assert (yellow.light.brand, yellow.dark.brand) == ("#856a00", "#ffcc00")
    assert contrast("#886d00", "#f5f4f1") < LEAST + 0.1


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#767676", "#ffffff", 4.54),
        ("#777777", "#ffffff", 4.48),
    ],
)
def test_contrasts_are_those_of_the_standard(one: str, other: str, expected: float) -> None:
    assert contrast(one, other) == contrast(other, one) == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(
    "brand", ["", "#fff", "2c4a9e", "#2C4A9E", "red", "#2c4a9e;", "#2c4a9e\n", "#２c4a9e", "}body{display:none"]
)
def test_what_is_no_colour_never_reaches_a_style_sheet(brand: str) -> None:
    with pytest.raises(ValueError, match="no colour"):
        brand_sheet(brand)


@given(COLOURS)
def test_the_style_sheet_sets_four_properties_for_each_theme_and_nothing_else(brand: str) -> None:
    palette = palette_of(brand)
    shape = (
        r":root \{ (?P<light>[^{}]+) \}\n"
        r'@media \(prefers-color-scheme: dark\) \{ :root:not\(\[data-theme="light"\]\) \{ (?P<dark>[^{}]+) \} \}\n'
        r':root\[data-theme="dark"\] \{ (?P<chosen>[^{}]+) \}\n'
    )
    found = re.fullmatch(shape, brand_sheet(brand))
    assert found
    assert found["dark"] == found["chosen"]
    for theme, shades in (("light", palette.light), ("dark", palette.dark)):
        assert found[theme] == (
            f"--brand: {shades.brand}; --brand-ink: {shades.ink}; "
            f"--brand-soft: {shades.soft}; --brand-line: {shades.line};"
        )
