"""Field rules: from a parameter to a value that the flows take, or a text of this house.

Texts count characters, not bytes. Each function takes all parameters and raises `Refused` with the first rule
that fails. Not known here: who asks, and whether anything exists. (docs/contracts/careyshop.md sections 4.1 and 5.)
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from menshen.core.account.accounts import Gender
from menshen.core.identifiers import claim_phone, parse_email
from menshen.core.plain_text import is_plain
from menshen.wire.careyshop import texts
from menshen.wire.careyshop.parameters import Parameters
from menshen.wire.careyshop.problems import Refused
from menshen.wire.careyshop.public_rules import given, scalar

_ALPHA_DASH: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_DIGITS: Final = re.compile(r"[0-9]+", re.ASCII)
_INTEGER: Final = re.compile(r"-?[0-9]{1,40}", re.ASCII)
_LEADING_NUMBER: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
# What people take for a date: separators of one kind, a month and a day that exist somewhere, perhaps a time behind.
_DATE_LIKE: Final = re.compile(r"[0-9]{4}([-/.])([0-9]{1,2})\1([0-9]{1,2})(?:[A-Za-z ].{0,40})?", re.ASCII)


def username(parameters: Parameters) -> str:
    """4 to 20 ASCII letters, digits, _ and -, as typed."""
    wrong = texts.ALPHA_DASH.format(texts.ACCOUNT)
    text = _required(parameters, "username", texts.ACCOUNT, wrong)
    if not _ALPHA_DASH.fullmatch(text):
        raise Refused(wrong)
    if not 4 <= len(text) <= 20:
        raise Refused(texts.LENGTH.format(texts.ACCOUNT, "4,20"))
    return text


def password(parameters: Parameters, name: str = "password", label: str = texts.PASSWORD) -> str:
    """At least 6 characters."""
    text = _required(parameters, name, label)
    if len(text) < 6:
        raise Refused(texts.TOO_SHORT.format(label, 6))
    return text


def new_password(parameters: Parameters) -> str:
    """At least 6 characters, and the same again, of the same type, as `password_confirm`."""
    text = password(parameters)
    chosen, again = parameters.get("password"), parameters.get("password_confirm")
    if type(chosen) is not type(again) or chosen != again:
        raise Refused(texts.CONFIRM)
    return text


def platform(parameters: Parameters) -> str:
    """At most 50 characters, in one line that shows what it says: it stands in lists of logins."""
    text = _required(parameters, "platform", texts.PLATFORM)
    _at_most(text, 50, texts.PLATFORM)
    if not is_plain(text):
        raise Refused(texts.SHAPE.format(texts.PLATFORM))
    return text


def mobile(parameters: Parameters, name: str = "mobile") -> str:
    """7 to 15 digits, in the canonical form under which a number is claimed or gets codes."""
    wrong = texts.NO_DIGITS.format(texts.MOBILE)
    text = _required(parameters, name, texts.MOBILE, wrong)
    if not _DIGITS.fullmatch(text):
        raise Refused(wrong)
    if not 7 <= len(text) <= 15:
        raise Refused(texts.LENGTH.format(texts.MOBILE, "7,15"))
    return claim_phone(text)


def email(parameters: Parameters, name: str = "email") -> str | None:
    """A canonical address of at most 60 characters; None when none is given."""
    if not given(parameters.get(name)):
        return None
    text = scalar(parameters.get(name))
    canonical = parse_email(text) if text is not None else None
    if text is None or canonical is None:
        raise Refused(texts.SHAPE.format(texts.EMAIL))
    _at_most(text, 60, texts.EMAIL)
    return canonical


def required_email(parameters: Parameters) -> str:
    """As `email`, and it must be there."""
    canonical = email(parameters)
    if canonical is None:
        raise Refused(texts.EMPTY.format(texts.EMAIL))
    return canonical


def nickname(parameters: Parameters) -> str | None:
    """At most 50 characters; "" takes it away, None leaves it."""
    return _optional(parameters, "nickname", texts.NICKNAME, 50)


def required_nickname(parameters: Parameters) -> str:
    """As `nickname`, and it must be there."""
    text = nickname(parameters)
    if not text:
        raise Refused(texts.EMPTY.format(texts.NICKNAME))
    return text


def head_pic(parameters: Parameters) -> str | None:
    """At most 512 characters; "" takes it away, None leaves it."""
    return _optional(parameters, "head_pic", texts.HEAD_PIC, 512)


def sex(parameters: Parameters) -> Gender | None:
    """0, 1 or 2; None leaves it."""
    if not given(value := parameters.get("sex")):
        return None
    if (text := scalar(value)) not in ("0", "1", "2"):
        raise Refused(texts.NOT_IN.format(texts.SEX, "0,1,2"))
    return Gender(int(text))


def birthday(parameters: Parameters) -> str | None:
    """A day that was, as `Y-m-d`; "" takes it away, None leaves it."""
    value = parameters.get("birthday")
    if value is None or value == "":
        return value
    if not isinstance(value, str):
        raise Refused(texts.NO_DATE.format(texts.BIRTHDAY))
    like = _DATE_LIKE.fullmatch(value)
    if like is None or not 1 <= int(like[2]) <= 12 or not 1 <= int(like[3]) <= 31:
        raise Refused(texts.NO_DATE.format(texts.BIRTHDAY))
    try:
        if not _DATE.fullmatch(value):
            raise Refused(texts.NO_DATE_FORMAT.format(texts.BIRTHDAY))
        date.fromisoformat(value)
    except ValueError:
        raise Refused(texts.NO_DATE_FORMAT.format(texts.BIRTHDAY)) from None
    return value


def client_id(parameters: Parameters) -> int:
    """An account's number, above 0."""
    wrong = texts.NO_INTEGER.format(texts.CLIENT_ID)
    text = _required(parameters, "client_id", texts.CLIENT_ID, wrong)
    if not _INTEGER.fullmatch(text):
        raise Refused(wrong)
    if int(text) <= 0:
        raise Refused(texts.NOT_ABOVE.format(texts.CLIENT_ID, 0))
    return int(text)


def exclude_id(parameters: Parameters) -> int | None:
    """The account to leave out of a check: the number that `exclude_id` begins with, if any."""
    text = scalar(parameters.get("exclude_id"))
    number = _LEADING_NUMBER.match(text) if text else None
    return int(number[0]) if number else None


def code(parameters: Parameters, label: str = texts.CODE) -> str:
    """A one-time code of at most 6 digits; a JSON number gets the zeros back that it could not carry."""
    wrong = texts.NO_INTEGER.format(label)
    text = _required(parameters, "code", label, wrong)
    if not _DIGITS.fullmatch(text):
        raise Refused(wrong)
    _at_most(text, 6, label)
    return text if isinstance(parameters["code"], str) else text.zfill(6)


def number(parameters: Parameters) -> str:
    """A mobile or an address in canonical form."""
    text = _required(parameters, "number", texts.NUMBER)
    return ("@" in text and email(parameters, "number")) or mobile(parameters, "number")


def is_check(parameters: Parameters) -> bool:
    """0 or 1, 0 when it is not there."""
    value = parameters.get("is_check")
    if not given(value):
        return False
    if (text := scalar(value)) not in ("0", "1"):
        raise Refused(texts.NOT_IN.format(texts.IS_CHECK, "0,1"))
    return text == "1"


def refresh(parameters: Parameters) -> str:
    """At most 32 characters."""
    text = _required(parameters, "refresh", texts.REFRESH)
    _at_most(text, 32, texts.REFRESH)
    return text


def _required(parameters: Parameters, name: str, label: str, wrong_type: str | None = None) -> str:
    """Text of a text or a JSON integer."""
    value = parameters.get(name)
    if not given(value):
        raise Refused(texts.EMPTY.format(label))
    text = scalar(value)
    if text is None:
        raise Refused(wrong_type or texts.SHAPE.format(label))
    return text


def _optional(parameters: Parameters, name: str, label: str, most: int) -> str | None:
    value = parameters.get(name)
    if value is None:
        return None
    text = scalar(value)
    if text is None:
        raise Refused(texts.SHAPE.format(label))
    _at_most(text, most, label)
    return text


def _at_most(text: str, most: int, label: str) -> None:
    if len(text) > most:
        raise Refused(texts.TOO_LONG.format(label, most))
