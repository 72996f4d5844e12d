"""Define what an app says about its hosted pages: the pages, their ways to log in, their texts and their looks.

The records are what is stored. `core.pages.rules` judges what an operator gives. Nothing here knows HTTP or a database.
(Decision 0078.)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

STANDARD_BRAND: Final = "#2c4a9e"
"""The brand colour of an app that names none."""


class PagesSession(StrEnum):
    """Say what a login at the pages gives the browser.

    OWN: the pages' own session, in their own cookie. COOKIES: that and the cookies of the app's dialect.
    """

    OWN = "own"
    COOKIES = "cookies"


class Way(StrEnum):
    """Name the ways to log in at the pages. A passkey has no form of its own: it is a button, and autofill."""

    SMS = "sms"
    PASSWORD = "password"
    EMAIL = "email"
    PASSKEY = "passkey"


class SignupPassword(StrEnum):
    """Say whether people who sign up at the pages choose a password: they may, they must, or they are not asked."""

    OPTIONAL = "optional"
    REQUIRED = "required"
    NONE = "none"


class Corner(StrEnum):
    """Name how round the corners of boxes and buttons are."""

    SQUARE = "square"
    SOFT = "soft"
    ROUND = "round"


class Layout(StrEnum):
    """Name the layouts of a wide screen: one card in the middle, or the name of the app beside the form."""

    CARD = "card"
    SPLIT = "split"


class Theme(StrEnum):
    """Name the themes. AUTO is what the browser asks for."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class FurtherConsent:
    """Describe a consent that is asked beside the terms, with a box of its own: that of a parent, or for data abroad.

    `id` and `version` are what an agreement is kept under. `text_zh` and `text_en` are the words beside the box, of
    which one may be "". `url` is where the whole text stands, "" for nowhere. A sign-up does not go on without a
    `required` one.
    """

    id: str
    version: str
    text_zh: str = ""
    text_en: str = ""
    url: str = ""
    required: bool = False

    def text(self, language: str) -> str:
        """Return the words in a language such as "zh-CN", else those of the other language."""
        return _in(language, self.text_zh, self.text_en)


@dataclass(frozen=True, slots=True)
class PageSettings:
    """Hold what one app says about its hosted pages. An app that says nothing has the defaults: it has no pages.

    `page_origins` are the origins whose pages may be returned to, and may ask for a QR login. The first of `ways` is
    shown first. `terms_version` names the state of the terms that people agree to. `signup_fields` are the fields of
    the profile that a sign-up asks for. `brand` is `#rrggbb`, as given: `core.pages.colours` makes it readable.
    `icp` and `police` are the lines of the two Chinese registrations, each with its link. `default_language` is a
    language of `texts`, "" for none. A closed account is deleted after `closing_days`, 0 for at once. `logo_light` and
    `logo_dark` are digests of stored logos: hex digits, "" for none.
    """

    on: bool = False
    session: PagesSession = PagesSession.OWN
    page_origins: tuple[str, ...] = ()
    ways: tuple[Way, ...] = (Way.SMS, Way.PASSWORD, Way.EMAIL, Way.PASSKEY)
    display_name_zh: str = ""
    display_name_en: str = ""
    slogan_zh: str = ""
    slogan_en: str = ""
    terms_url: str = ""
    privacy_url: str = ""
    help_url: str = ""
    terms_version: str = ""
    consents: tuple[FurtherConsent, ...] = ()
    signup_password: SignupPassword = SignupPassword.OPTIONAL
    signup_fields: tuple[str, ...] = ()
    brand: str = STANDARD_BRAND
    corner: Corner = Corner.SOFT
    layout: Layout = Layout.SPLIT
    icp: str = ""
    icp_url: str = ""
    police: str = ""
    police_url: str = ""
    footer_zh: str = ""
    footer_en: str = ""
    default_language: str = ""
    default_theme: Theme = Theme.AUTO
    closing_days: int = 0
    logo_light: str = ""
    logo_dark: str = ""

    def name(self, language: str) -> str:
        """Return the name of the app in a language such as "zh-CN", else in the other one. "": it has none here."""
        return _in(language, self.display_name_zh, self.display_name_en)

    def slogan(self, language: str) -> str:
        """Return the line under the name in a language, else in the other one, else ""."""
        return _in(language, self.slogan_zh, self.slogan_en)

    def footer(self, language: str) -> str:
        """Return the text of the footer in a language, else in the other one, else ""."""
        return _in(language, self.footer_zh, self.footer_en)

    def logo(self, theme: Theme) -> str:
        """Return the digest of the logo for a light or a dark ground: that of the other one if there is but one."""
        return (self.logo_dark or self.logo_light) if theme is Theme.DARK else (self.logo_light or self.logo_dark)

    def forms(self) -> tuple[Way, ...]:
        """Return the ways that have a form, in order: all but the passkey."""
        return tuple(way for way in self.ways if way is not Way.PASSKEY)

    def allows(self, way: Way) -> bool:
        """Return whether people may log in by this way at the pages."""
        return way in self.ways

    def asks_terms(self) -> bool:
        """Return whether people must agree to terms."""
        return bool(self.terms_url)


NO_PAGES: Final = PageSettings()
"""What an app that says nothing about pages has."""


def _in(language: str, zh: str, en: str) -> str:
    """Return the text of a language. Chinese in all of its forms has one text, every other language the English one."""
    return (zh or en) if language.lower().startswith("zh") else (en or zh)
