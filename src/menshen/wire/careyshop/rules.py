"""Check fields: turn a parameter into a value for the flows, or refuse it with a text of this dialect.

Lengths count characters, not bytes. Each function takes all parameters and raises `Refused` with the first rule
that fails. Must not know the caller or the database. (docs/contracts/careyshop.md sections 4.1 and 5.)
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from menshen.core.account.accounts import Gender
from menshen.core.account.profiles import TEXTS
from menshen.core.factors.proofs import Factor
from menshen.core.identifiers import claim_phone, parse_email
from menshen.core.plain_text import is_plain
from menshen.core.text.typed import folded, typed_code
from menshen.wire.careyshop import texts
from menshen.wire.careyshop.described import fields
from menshen.wire.careyshop.parameters import Parameters
from menshen.wire.careyshop.problems import Refused
from menshen.wire.careyshop.public_rules import given, scalar

_ALPHA_DASH: Final = re.compile(fields.USERNAME.pattern, re.ASCII)
_KIND: Final = re.compile(fields.FACTOR.pattern, re.ASCII)
_DIGITS: Final = re.compile(r"[0-9]+", re.ASCII)
_INTEGER: Final = re.compile(r"-?[0-9]{1,40}", re.ASCII)
_LEADING_NUMBER: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
# Dates as people write them: one kind of separator, month, day, and maybe a time.
_DATE_LIKE: Final = re.compile(r"[0-9]{4}([-/.])([0-9]{1,2})\1([0-9]{1,2})(?:[A-Za-z ].{0,40})?", re.ASCII)


def username(parameters: Parameters, *, folds: bool = True) -> str:
    """Return 4 to 20 ASCII letters, digits, _ and -, as typed. With `folds` they are judged as the flows fold them."""
    wrong = texts.ALPHA_DASH.format(texts.ACCOUNT)
    typed = _required(parameters, "username", texts.ACCOUNT, wrong)
    text = folded(typed) if folds else typed
    if not _ALPHA_DASH.fullmatch(text):
        raise Refused(wrong)
    least, most = fields.USERNAME.least, fields.USERNAME.most
    if not least <= len(text) <= most:
        raise Refused(texts.LENGTH.format(texts.ACCOUNT, f"{least},{most}"))
    return typed


def password(parameters: Parameters, name: str = "password", label: str = texts.PASSWORD) -> str:
    """Return a password of at least 6 characters."""
    text = _required(parameters, name, label)
    if len(text) < fields.PASSWORD.least:
        raise Refused(texts.TOO_SHORT.format(label, fields.PASSWORD.least))
    return text


def new_password(parameters: Parameters) -> str:
    """Return a password of at least 6 characters. `password_confirm` must be equal and of the same type."""
    text = password(parameters)
    chosen, again = parameters.get("password"), parameters.get("password_confirm")
    if type(chosen) is not type(again) or chosen != again:
        raise Refused(texts.CONFIRM)
    return text


def platform(parameters: Parameters) -> str:
    """Return at most 50 printable characters in one line, because lists of logins show them."""
    text = _required(parameters, "platform", texts.PLATFORM)
    _at_most(text, fields.PLATFORM.most, texts.PLATFORM)
    if not is_plain(text):
        raise Refused(texts.SHAPE.format(texts.PLATFORM))
    return text


def mobile(parameters: Parameters, name: str = "mobile") -> str:
    """Return a phone of 7 to 15 digits, in the canonical form that is used to claim it and to send codes."""
    wrong = texts.NO_DIGITS.format(texts.MOBILE)
    text = folded(_required(parameters, name, texts.MOBILE, wrong))
    if not _DIGITS.fullmatch(text):
        raise Refused(wrong)
    least, most = fields.MOBILE.least, fields.MOBILE.most
    if not least <= len(text) <= most:
        raise Refused(texts.LENGTH.format(texts.MOBILE, f"{least},{most}"))
    return claim_phone(text)


def email(parameters: Parameters, name: str = "email") -> str | None:
    """Return a canonical email of at most 60 characters, or None when none is given."""
    if not given(parameters.get(name)):
        return None
    text = scalar(parameters.get(name))
    canonical = parse_email(text) if text is not None else None
    if text is None or canonical is None:
        raise Refused(texts.SHAPE.format(texts.EMAIL))
    _at_most(folded(text), fields.EMAIL.most, texts.EMAIL)
    return canonical


def required_email(parameters: Parameters) -> str:
    """Return an email as `email` does, but require it."""
    canonical = email(parameters)
    if canonical is None:
        raise Refused(texts.EMPTY.format(texts.EMAIL))
    return canonical


def nickname(parameters: Parameters) -> str | None:
    """Return a nickname of at most 50 plain characters. "" deletes it, None leaves it unchanged."""
    return _profile_text(parameters, "nickname", texts.NICKNAME, "nickname")


def required_nickname(parameters: Parameters) -> str:
    """Return a nickname as `nickname` does, but require it."""
    text = nickname(parameters)
    if not text:
        raise Refused(texts.EMPTY.format(texts.NICKNAME))
    return text


def head_pic(parameters: Parameters) -> str | None:
    """Return an http(s) address of at most 512 characters. "" deletes it, None leaves it unchanged."""
    return _profile_text(parameters, "head_pic", texts.HEAD_PIC, "avatar_url")


def sex(parameters: Parameters) -> Gender | None:
    """Return a gender for 0, 1 or 2. None leaves it unchanged."""
    if not given(value := parameters.get("sex")):
        return None
    if (text := scalar(value)) not in fields.SEX.choices:
        raise Refused(texts.NOT_IN.format(texts.SEX, ",".join(fields.SEX.choices)))
    return Gender(int(text))


def birthday(parameters: Parameters) -> str | None:
    """Return an existing day as `Y-m-d`. "" deletes it, None leaves it unchanged."""
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
    """Return an account's number, above 0."""
    wrong = texts.NO_INTEGER.format(texts.CLIENT_ID)
    text = _required(parameters, "client_id", texts.CLIENT_ID, wrong)
    if not _INTEGER.fullmatch(text):
        raise Refused(wrong)
    if int(text) <= 0:
        raise Refused(texts.NOT_ABOVE.format(texts.CLIENT_ID, 0))
    return int(text)


def exclude_id(parameters: Parameters) -> int | None:
    """Return the account to leave out of a check: the number at the start of `exclude_id`, if any."""
    text = scalar(parameters.get("exclude_id"))
    number = _LEADING_NUMBER.match(text) if text else None
    return int(number[0]) if number else None


def code(parameters: Parameters, label: str = texts.CODE) -> str:
    """Return a one-time code of at most 6 digits. A JSON number gets its lost leading zeros back."""
    wrong = texts.NO_INTEGER.format(label)
    text = typed_code(_required(parameters, "code", label, wrong))
    if not _DIGITS.fullmatch(text):
        raise Refused(wrong)
    _at_most(text, fields.CODE.most, label)
    return text if isinstance(parameters["code"], str) else text.zfill(6)


def number(parameters: Parameters) -> str:
    """Return a phone or an email in canonical form."""
    text = folded(_required(parameters, "number", texts.NUMBER))
    return ("@" in text and email(parameters, "number")) or mobile(parameters, "number")


def is_check(parameters: Parameters) -> bool:
    """Return true for 1, false for 0 or a missing parameter."""
    value = parameters.get("is_check")
    if not given(value):
        return False
    if (text := scalar(value)) not in fields.IS_CHECK.choices:
        raise Refused(texts.NOT_IN.format(texts.IS_CHECK, ",".join(fields.IS_CHECK.choices)))
    return text == "1"


def refresh(parameters: Parameters) -> str:
    """Return a refresh token of at most 32 characters."""
    text = _required(parameters, "refresh", texts.REFRESH)
    _at_most(text, fields.REFRESH.most, texts.REFRESH)
    return text


def ticket(parameters: Parameters) -> str:
    """Return the ticket of a pending login, at most 32 characters."""
    text = _required(parameters, "ticket", texts.TICKET_LABEL)
    _at_most(text, fields.TICKET.most, texts.TICKET_LABEL)
    return text


def factor(parameters: Parameters) -> str:
    """Return the kind of a second factor, TOTP if none is named."""
    value = parameters.get("factor")
    if not given(value):
        return Factor.TOTP
    text = scalar(value) or ""
    _at_most(text, fields.FACTOR.most, texts.FACTOR)
    if not _KIND.fullmatch(text):
        raise Refused(texts.SHAPE.format(texts.FACTOR))
    return text


def step_code(parameters: Parameters) -> str:
    """Return the code of a second factor as it came. A JSON number is none: it has lost its leading zeros."""
    code = second_code(parameters, "code")
    if not code:
        raise Refused(texts.EMPTY.format(texts.CODE))
    return code


def second_code(parameters: Parameters, name: str = "second_code") -> str:
    """Return the code as `step_code` does, "" for none."""
    value = parameters.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refused(texts.SHAPE.format(texts.CODE))
    _at_most(value, fields.STEP_CODE.most, texts.CODE)
    return value


def _required(parameters: Parameters, name: str, label: str, wrong_type: str | None = None) -> str:
    """Return the text of a text or of a JSON integer."""
    value = parameters.get(name)
    if not given(value):
        raise Refused(texts.EMPTY.format(label))
    text = scalar(value)
    if text is None:
        raise Refused(wrong_type or texts.SHAPE.format(label))
    return text


def _profile_text(parameters: Parameters, name: str, label: str, field: str) -> str | None:
    """Return a text that the core allows in that field of a profile."""
    value = parameters.get(name)
    if value is None:
        return None
    text = scalar(value)
    if text is None:
        raise Refused(texts.SHAPE.format(label))
    rule = TEXTS[field]
    text = rule.entered(text)
    _at_most(text, rule.most, label)
    if not rule.allows(text):
        raise Refused(texts.SHAPE.format(label))
    return text


def _at_most(text: str, most: int, label: str) -> None:
    if len(text) > most:
        raise Refused(texts.TOO_LONG.format(label, most))
