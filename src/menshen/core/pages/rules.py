"""Judge what an operator says about the hosted pages of an app. (Decision 0078.)

Texts become parts of pages, and addresses become links, so each has a form and a bound.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final

from menshen.core.account.profiles import Form, TextRule
from menshen.core.networks import is_loopback
from menshen.core.pages.colours import COLOUR
from menshen.core.pages.settings import (
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

SIGNUP_FIELDS: Final = ("nickname", "gender", "birthday", "city", "province", "country")
"""The fields of a profile that a sign-up may ask for."""

MOST_CLOSING_DAYS: Final = 30
MOST_ORIGINS: Final = 20
MOST_CONSENTS: Final = 8
_MOST_OF_ADDRESS: Final = 512

TEXTS: Final[Mapping[str, TextRule]] = {
    "display_name_zh": TextRule(Form.LINE, 40),
    "display_name_en": TextRule(Form.LINE, 40),
    "slogan_zh": TextRule(Form.LINE, 120),
    "slogan_en": TextRule(Form.LINE, 120),
    "icp": TextRule(Form.LINE, 64),
    "police": TextRule(Form.LINE, 64),
    "footer_zh": TextRule(Form.LINE, 300),
    "footer_en": TextRule(Form.LINE, 300),
}
"""The rule of each text."""

_CONSENT: Final = TextRule(Form.LINE, 300)
_ADDRESSES: Final = ("terms_url", "privacy_url", "help_url", "icp_url", "police_url")
_CHOICES: Final[Mapping[str, type[StrEnum]]] = {
    "session": PagesSession,
    "signup_password": SignupPassword,
    "corner": Corner,
    "layout": Layout,
    "default_theme": Theme,
}

_LABEL: Final = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME: Final = rf"{_LABEL}(?:\.{_LABEL})*"
_ORIGIN: Final = re.compile(rf"(https?)://({_NAME}|\[[0-9a-f:.]{{2,45}}\])(?::([1-9][0-9]{{0,4}}))?", re.ASCII)
_USUAL_PORTS: Final = {"http": "80", "https": "443"}
_ADDRESS: Final = re.compile(
    rf"[Hh][Tt][Tt][Pp][Ss]://(?i:{_NAME})(?::[0-9]{{1,5}})?(?:[/?#][!#-;=?-Z_a-z~]*)?", re.ASCII
)
_WORD: Final = re.compile(r"[a-z0-9-]{1,32}", re.ASCII)
_VERSION: Final = re.compile(r"[A-Za-z0-9._-]{1,32}", re.ASCII)

_Judge = Callable[[Any], bool]


def change(settings: PageSettings, given: Mapping[str, Any], languages: Collection[str]) -> PageSettings | Denied:
    """Return the settings with the fields in `given`, tidied. `languages` are those that pages are written in.

    Denied: INVALID_REQUEST with the first `field` that is not known or may not have its value. Logos are no such
    fields: they are stored as pictures.
    """
    tidied = {name: _tidied(name, value) for name, value in given.items()}
    for name, value in tidied.items():
        if name == "default_language":
            good = value == "" or value in languages
        else:
            judge = _JUDGES.get(name)
            good = judge is not None and judge(value)
        if not good:
            return Denied(ProblemCode.INVALID_REQUEST, field=name)
    return replace(settings, **tidied)


def is_origin(text: str) -> bool:
    """Return whether a browser writes an origin so, of HTTPS or of this machine: "https://shop.example"."""
    shape = _ORIGIN.fullmatch(text)
    if shape is None or len(text) > _MOST_OF_ADDRESS:
        return False
    scheme, host, port = shape.groups()
    if port is not None and (port == _USUAL_PORTS[scheme] or int(port) > 65535):
        return False
    return scheme == "https" or is_loopback(host)


def is_address(text: str) -> bool:
    """Return whether a page may link to `text`: an absolute https address, written in ASCII."""
    return len(text) <= _MOST_OF_ADDRESS and _ADDRESS.fullmatch(text) is not None


def _tidied(name: str, value: Any) -> Any:
    match value:
        case StrEnum():
            return value
        case str() if name in TEXTS:
            return TEXTS[name].entered(value.strip())
        case str() if name == "brand":
            return value.strip().lower()
        case str():
            return value.strip()
        case tuple() if name == "page_origins":
            return tuple(dict.fromkeys(each.lower() if isinstance(each, str) else each for each in value))
        case tuple() if name == "consents":
            return tuple(_tidied_consent(each) if isinstance(each, FurtherConsent) else each for each in value)
        case tuple() if name in {"ways", "signup_fields"}:
            return tuple(dict.fromkeys(value))
        case _:
            return value


def _tidied_consent(given: Any) -> Any:
    words = {name: getattr(given, name) for name in ("text_zh", "text_en")}
    return replace(given, **{k: _CONSENT.entered(v.strip()) if isinstance(v, str) else v for k, v in words.items()})


def _are_ways(value: Any) -> bool:
    # A passkey is a button: without script, and in a browser without passkeys, there would be no way at all.
    return _holds(value, Way, 4) and any(way is not Way.PASSKEY for way in value)


def _are_consents(value: Any) -> bool:
    return (
        _holds(value, FurtherConsent, MOST_CONSENTS)
        and len({each.id for each in value}) == len(value)
        and all(map(_is_consent, value))
    )


def _is_consent(given: Any) -> bool:
    texts = (given.text_zh, given.text_en)
    return (
        all(isinstance(each, str) for each in (given.id, given.version, given.url, *texts))
        and isinstance(given.required, bool)
        and _WORD.fullmatch(given.id) is not None
        and _VERSION.fullmatch(given.version) is not None
        and any(texts)
        and all(_CONSENT.allows(text) for text in texts)
        and (not given.url or is_address(given.url))
    )


def _holds(value: Any, kind: type, most: int) -> bool:
    return isinstance(value, tuple) and len(value) <= most and all(isinstance(each, kind) for each in value)


def _text(rule: TextRule) -> _Judge:
    return lambda value: isinstance(value, str) and rule.allows(value)


def _choice(kind: type[StrEnum]) -> _Judge:
    return lambda value: isinstance(value, kind)


_JUDGES: Final[Mapping[str, _Judge]] = {
    **{name: _text(rule) for name, rule in TEXTS.items()},
    **{name: lambda value: isinstance(value, str) and (not value or is_address(value)) for name in _ADDRESSES},
    **{name: _choice(kind) for name, kind in _CHOICES.items()},
    "on": lambda value: isinstance(value, bool),
    "page_origins": lambda value: _holds(value, str, MOST_ORIGINS) and all(map(is_origin, value)),
    "ways": _are_ways,
    "terms_version": lambda value: isinstance(value, str) and (not value or _VERSION.fullmatch(value) is not None),
    "consents": _are_consents,
    "signup_fields": lambda value: _holds(value, str, len(SIGNUP_FIELDS)) and set(value) <= set(SIGNUP_FIELDS),
    "brand": lambda value: isinstance(value, str) and COLOUR.fullmatch(value) is not None,
    "closing_days": lambda value: type(value) is int and 0 <= value <= MOST_CLOSING_DAYS,
}
