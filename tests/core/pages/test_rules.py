"""What an operator may say about the pages of an app."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.core.pages.rules import SIGNUP_FIELDS, TEXTS, change, is_address, is_origin
from menshen.core.pages.settings import (
    NO_PAGES,
    Corner,
    FurtherConsent,
    Layout,
    PageSettings,
    PagesSession,
    SignupPassword,
    Theme,
    Way,
)
from menshen.core.problems import Denied, ProblemCode

LANGUAGES = ("zh-CN", "en")
CONSENT = FurtherConsent("minors", "1.0", text_zh="同意", url="https://shop.example/m", required=True)
ADDRESSES = ("terms_url", "privacy_url", "help_url", "icp_url", "police_url")
GOOD: dict[str, tuple[Any, ...]] = {
    "on": (True, False),
    "session": tuple(PagesSession),
    "page_origins": (
        (),
        ("https://shop.example", "http://localhost:3000"),
        tuple(f"https://{n}.example" for n in range(20)),
    ),
    "ways": ((Way.SMS,), (Way.PASSWORD, Way.PASSKEY)),
    **{name: ("", "微店 'n \"<b>", "x" * rule.most) for name, rule in TEXTS.items()},
    **dict.fromkeys(ADDRESSES, ("", "https://shop.example", "https://Shop.example:8443/a-b_c/~d?e=f&g=%20#h")),
    "terms_version": ("", "2024-07_1.0", "x" * 32),
    "consents": ((), (CONSENT,), tuple(replace(CONSENT, id=f"c{n}") for n in range(8))),
    "signup_password": tuple(SignupPassword),
    "signup_fields": ((), SIGNUP_FIELDS),
    "brand": ("#000000", "#07c160"),
    "corner": tuple(Corner),
    "layout": tuple(Layout),
    "default_language": ("", "zh-CN", "en"),
    "default_theme": tuple(Theme),
    "closing_days": (0, 30),
}
BAD: dict[str, tuple[Any, ...]] = {
    "on": (1, "yes", None),
    "session": ("own", "", None),
    "page_origins": (
        "https://shop.example", ("*",), ("null",), ("",), ("https://shop.example/",), ("https://shop.example:443",),
        ("http://shop.example",), ("http://localhost:80",), ("https://u@shop.example",), ("https://shop.example?a",),
        ("ftp://shop.example",), ("https://shop example",), ("https://-shop.example",), ("https://shop..example",),
        ("https://商店.example",), ("https://shop.example:99999",), ("https://shop.example\n",), (7,),
        tuple(f"https://{n}.example" for n in range(21)),
    ),
    "ways": ((), (Way.PASSKEY,), ("sms",), [Way.SMS], "sms"),
    **{name: ("x" * (rule.most + 1), "a\nb", "a\u202eb", "a\x00b", "\ud800", 7) for name, rule in TEXTS.items()},
    **dict.fromkeys(
        ADDRESSES,
        (
            "http://shop.example", "//shop.example", "/terms", "javascript:alert(1)", "https://", "https:shop.example",
            "https://u:p@shop.example/", "https://shop.example/a b", 'https://shop.example/"', "https://商店.example",
            "https://shop.example/<", "https://shop.example\\a", "https://" + "x" * 505, "https://shop.example/\na", 7,
        ),
    ),
    "terms_version": ("x" * 33, "a b", "版本", 7),
    "consents": (
        "", [CONSENT], ({"id": "minors"},), (CONSENT, CONSENT), tuple(replace(CONSENT, id=f"c{n}") for n in range(9)),
        *(
            (replace(CONSENT, **bad),)
            for bad in (
                {"id": ""}, {"id": "Minors"}, {"id": "x" * 33}, {"version": ""}, {"version": "a b"}, {"text_zh": " "},
                {"text_zh": "x" * 301}, {"text_en": "a\nb"}, {"url": "http://shop.example"}, {"id": 7}, {"required": 1},
            )
        ),
    ),
    "signup_password": ("optional", None),
    "signup_fields": (("phone",), ("roles",), ("real_name_verified",), "nickname"),
    "brand": ("", "#fff", "red", "#07c160;", "url(x)", 7),
    "corner": ("round",),
    "layout": ("card",),
    "default_language": ("fr", "zh", None, ()),
    "default_theme": ("dark",),
    "closing_days": (-1, 31, True, 1.0, "7"),
    "logo_light": ("0" * 64,),
    "logo_dark": ("",),
    "appkey": ("12345678",),
}  # fmt: skip


def refusal_of(field: str, value: Any) -> Denied | None:
    made = change(NO_PAGES, {field: value}, LANGUAGES)
    return made if isinstance(made, Denied) else None


def test_each_field_has_a_rule() -> None:
    logos = {"logo_light", "logo_dark"}
    assert set(GOOD) == {field.name for field in fields(PageSettings)} - logos
    assert set(GOOD) | logos <= set(BAD)


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in GOOD.items() for value in values])
def test_what_a_field_may_hold_is_kept(field: str, value: Any) -> None:
    assert change(NO_PAGES, {field: value}, LANGUAGES) == replace(NO_PAGES, **{field: value})


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in BAD.items() for value in values])
def test_what_a_field_may_not_hold_is_refused_by_its_name(field: str, value: Any) -> None:
    assert refusal_of(field, value) == Denied(ProblemCode.INVALID_REQUEST, field=field)


def test_one_bad_field_refuses_all() -> None:
    made = change(NO_PAGES, {"on": True, "brand": "red"}, LANGUAGES)
    assert made == Denied(ProblemCode.INVALID_REQUEST, field="brand")


def test_the_defaults_are_good() -> None:
    given = {name: getattr(NO_PAGES, name) for name in GOOD}
    assert change(NO_PAGES, given, LANGUAGES) == NO_PAGES


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("display_name_zh", " 微\u200b店 ", "微店"),
        ("terms_url", " https://shop.example ", "https://shop.example"),
        ("brand", " #FFCC00", "#ffcc00"),
        ("page_origins", ("https://Shop.Example", "https://shop.example"), ("https://shop.example",)),
        ("ways", (Way.SMS, Way.PASSWORD, Way.SMS), (Way.SMS, Way.PASSWORD)),
        ("signup_fields", ("city", "city"), ("city",)),
        ("consents", (replace(CONSENT, text_en=" I\u200b agree "),), (replace(CONSENT, text_en="I agree"),)),
    ],
)
def test_what_is_given_is_tidied(field: str, value: Any, kept: Any) -> None:
    made = change(NO_PAGES, {field: value}, LANGUAGES)
    assert isinstance(made, PageSettings)
    assert getattr(made, field) == kept


@given(st.text(max_size=30) | st.text(max_size=30).map("https://shop.example".__add__))
def test_an_address_that_is_good_leads_to_https(text: str) -> None:
    if is_address(text):
        parts = urlsplit(text)
        assert (parts.scheme, parts.username, parts.password) == ("https", None, None)
        assert parts.hostname
        assert text.isascii()
        assert not set(text) & set(' "<>\\^`{|}\n\r\t')


@given(st.text(max_size=30) | st.from_regex(r"https?://[a-z0-9.:\[\]-]{1,20}", fullmatch=True))
def test_an_origin_that_is_good_is_what_a_browser_sends(text: str) -> None:
    if is_origin(text):
        parts = urlsplit(text)
        assert text == f"{parts.scheme}://{parts.netloc}"
        assert parts.port != (443 if parts.scheme == "https" else 80)
        assert (
            parts.scheme == "https" or parts.hostname in {"localhost", "::1"} or "127." in text or "localhost" in text
        )


@given(st.dictionaries(st.sampled_from(sorted(BAD)), st.none() | st.integers() | st.text() | st.tuples(st.text())))
def test_nothing_that_is_given_raises(given_: dict[str, Any]) -> None:
    assert isinstance(change(NO_PAGES, given_, LANGUAGES), PageSettings | Denied)
