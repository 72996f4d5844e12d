"""What an app says about its pages, as the pages ask for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from menshen.core.findings import Severity
from menshen.core.pages.findings import find_page_problems
from menshen.core.pages.logos import Logo
from menshen.core.pages.settings import NO_PAGES, FurtherConsent, PageSettings, Theme, Way

ON = PageSettings(on=True)


def test_an_app_that_says_nothing_has_no_pages() -> None:
    assert not NO_PAGES.on
    assert NO_PAGES.name("zh-CN") == NO_PAGES.name("en") == ""


@pytest.mark.parametrize(
    ("language", "expected"),
    [("zh-CN", "微店"), ("zh", "微店"), ("ZH-tw", "微店"), ("en", "Shop"), ("fr", "Shop"), ("", "Shop")],
)
def test_each_language_has_its_text(language: str, expected: str) -> None:
    both = PageSettings(
        display_name_zh="微店", display_name_en="Shop", slogan_zh="微店", slogan_en="Shop", footer_zh="微店",
        footer_en="Shop",
    )  # fmt: skip
    assert (both.name(language), both.slogan(language), both.footer(language)) == (expected,) * 3
    assert FurtherConsent("a", "1", "微店", "Shop").text(language) == expected


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_one_language_stands_in_for_the_other(language: str) -> None:
    assert PageSettings(display_name_zh="微店").name(language) == "微店"
    assert PageSettings(display_name_en="Shop").name(language) == "Shop"


def test_one_logo_stands_on_both_grounds() -> None:
    both = PageSettings(logo_light="a", logo_dark="b")
    assert (both.logo(Theme.LIGHT), both.logo(Theme.DARK)) == ("a", "b")
    assert PageSettings(logo_light="a").logo(Theme.DARK) == "a"
    assert PageSettings(logo_dark="b").logo(Theme.LIGHT) == "b"
    assert NO_PAGES.logo(Theme.LIGHT) == ""


def test_a_passkey_is_a_way_without_a_form() -> None:
    some = PageSettings(ways=(Way.PASSKEY, Way.PASSWORD, Way.SMS))
    assert some.forms() == (Way.PASSWORD, Way.SMS)
    assert some.allows(Way.PASSKEY)
    assert not some.allows(Way.EMAIL)


def test_terms_are_asked_where_there_are_some() -> None:
    assert PageSettings(terms_url="https://shop.example/t").asks_terms()
    assert not PageSettings(terms_version="7", privacy_url="https://shop.example/p").asks_terms()


def test_a_logo_has_another_name_at_each_app_and_of_each_type() -> None:
    png, other = Logo("image/png", b"x"), Logo("image/webp", b"x")
    assert len({png.digest(1), png.digest(2), other.digest(1), Logo("image/png", b"y").digest(1)}) == 4
    assert png.digest(1) == Logo("image/png", b"x").digest(1)


@pytest.mark.parametrize(
    ("pages", "told"),
    [
        (ON, None),
        (replace(ON, page_origins=("https://shop.example",)), None),
        (
            replace(ON, page_origins=("https://shop.example", "http://localhost:3000")),
            "returns to http://localhost:3000",
        ),
        (replace(ON, terms_url="https://shop.example/t", terms_version="7"), None),
        (replace(ON, terms_url="https://shop.example/t"), "without a terms-version"),
        (replace(ON, brand="#000000"), None),
        (replace(ON, brand="#ffcc00"), "its pages show #856a00"),
        (PageSettings(brand="#ffcc00", terms_url="https://shop.example/t"), None),
    ],
)
def test_what_is_odd_about_pages(pages: PageSettings, told: str | None) -> None:
    found = list(find_page_problems("app shop", pages))
    assert [(each.severity, each.key) for each in found] == [(Severity.WARNING, "app shop")] * bool(told)
    assert all(told in each.text for each in found if told)
