"""Define what a profile may hold, at every entrance, and what is shown of profiles that were stored before.

A line is plain (`core.plain_text`), has a bound, and is kept without invisible characters (`core.text.typed`).
A picture is an http or https address with a host, and without a name or password in it.
(docs/security/attacks.md IN-11 and IN-12, decisions 0056 and 0058.)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any, Final, cast

from menshen.core.account.accounts import Gender, Profile
from menshen.core.plain_text import PLAIN_LINE, PLAIN_LINES, is_plain, is_plain_lines, plain, plain_lines
from menshen.core.problems import Denied, ProblemCode
from menshen.core.text.typed import shown

_HOST: Final = r"([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?"
ADDRESS: Final = rf"^$|^([Hh][Tt][Tt][Pp][Ss]?:)?//{_HOST}([/?#][!#-;=?-\[\]_a-z~]*)?$"
"""The form of a picture's address, "" for none. Without a scheme it has that of the page that shows it."""

_ADDRESS: Final = re.compile(ADDRESS)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class Form(StrEnum):
    """Name the forms of a text in a profile."""

    LINE = "line"
    LINES = "lines"
    ADDRESS = "address"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class TextRule:
    """Hold the rule of one text: its form, and the most characters. "" is always allowed."""

    form: Form
    most: int

    @property
    def pattern(self) -> str:
        """Return the form as a pattern, for descriptions of an API."""
        return {Form.LINES: PLAIN_LINES, Form.ADDRESS: ADDRESS}.get(self.form, PLAIN_LINE)

    def allows(self, text: str) -> bool:
        """Return whether a profile may hold `text` here."""
        if len(text) > self.most:
            return False
        match self.form:
            case Form.LINE:
                return is_plain(text)
            case Form.LINES:
                return is_plain_lines(text)
            case Form.ADDRESS:
                return _ADDRESS.fullmatch(text) is not None
            case Form.DAY:
                return not text or _is_day(text)

    def entered(self, text: str) -> str:
        """Return a text that is about to be judged as it will be kept: a plain one without invisible characters."""
        match self.form:
            case Form.LINE:
                return shown(text) if is_plain(text) else text
            case Form.LINES:
                return shown(text) if is_plain_lines(text) else text
            case _:
                return text

    def mended(self, text: str) -> str:
        """Return `text` if it may be kept, else what may stand for it: the plain text, cut to length, or ""."""
        if self.allows(text):
            return self.entered(text)
        # What is cut may end in half of an emoji.
        return shown(self.shown(text)[: self.most]) if self.form in {Form.LINE, Form.LINES} else ""

    def shown(self, text: str) -> str:
        """Return what may be shown of a stored text. An address or a day that is none is ""."""
        match self.form:
            case Form.LINE:
                return shown(plain(text))
            case Form.LINES:
                return shown(plain_lines(text))
            case _:
                return text if self.allows(text) else ""


TEXTS: Final[Mapping[str, TextRule]] = {
    "nickname": TextRule(Form.LINE, 50),
    "avatar_url": TextRule(Form.ADDRESS, 512),
    "city": TextRule(Form.LINE, 64),
    "province": TextRule(Form.LINE, 64),
    "country": TextRule(Form.LINE, 64),
    "birthday": TextRule(Form.DAY, 10),
    "description": TextRule(Form.LINES, 1000),
    "level": TextRule(Form.LINE, 64),
    "major": TextRule(Form.LINE, 64),
}
"""The rule of each text of `Profile`. The other fields are numbers."""


def entered(fields: Mapping[str, object]) -> Mapping[str, object]:
    """Return fields named as in `Profile` as they are about to be judged and kept."""
    return {
        name: TEXTS[name].entered(value) if name in TEXTS and isinstance(value, str) else value
        for name, value in fields.items()
    }


def judge_profile(fields: Mapping[str, object]) -> Denied | None:
    """Judge fields named as in `Profile`. Denied: INVALID_REQUEST with the first `field` that breaks its rule."""
    for name, value in fields.items():
        rule = TEXTS.get(name)
        if rule is None:
            good = name != "gender" or isinstance(value, Gender)
        else:
            good = isinstance(value, str) and rule.allows(value)
        if not good:
            return Denied(ProblemCode.INVALID_REQUEST, field=name)
    return None


def texts_of(profile: Profile) -> dict[str, str]:
    """Return the texts of a profile by the names of their fields."""
    return {name: getattr(profile, name) for name in TEXTS}


def entered_profile(profile: Profile) -> Profile:
    """Return the profile of a registration as it is about to be judged and kept."""
    return replace(profile, **cast("dict[str, Any]", entered(texts_of(profile))))


def mended(profile: Profile) -> Profile:
    """Return the profile of an import as it may be stored: the same object, if no text has to change."""
    texts = texts_of(profile)
    made = {name: TEXTS[name].mended(text) for name, text in texts.items()}
    return profile if made == texts else replace(profile, **cast("dict[str, Any]", made))


def _is_day(text: str) -> bool:
    try:
        return _DAY.fullmatch(text) is not None and date.fromisoformat(text) is not None
    except ValueError:
        return False
