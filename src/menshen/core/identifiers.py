"""Usernames, phones and emails: from what people type to one canonical form.

This is the only place that folds case, width and spelling. Storage keeps the canonical form under a
unique index, limits count by it, codes are bound to it. (docs/contracts/core.md section 1.1.)
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

import idna

_MAX_TYPED = 320
_SEPARATORS = re.compile(r"[\s\-().\u2010-\u2015\u00b7]+")
_DIALLED = re.compile(r"\+?[0-9]{5,20}", re.ASCII)
_MAINLAND_MOBILE = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
_USERNAME = re.compile(r"[A-Za-z0-9_-]{4,20}", re.ASCII)
_LOCAL_PART = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.ASCII)
_MAINLAND = "+86"


class Kind(StrEnum):
    """What an identifier is."""

    USERNAME = "username"
    PHONE = "phone"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class Identifier:
    """Something an account can be found by, in canonical form (E.164, lower-case address, case-folded name)."""

    kind: Kind
    canonical: str


def fold(typed: str) -> str:
    """NFKC, case-folded and trimmed: the form in which even an unusable identifier is counted."""
    return unicodedata.normalize("NFKC", typed[:_MAX_TYPED]).casefold().strip()


def parse_phone(typed: str) -> str | None:
    """E.164 of a number somebody could really have, mainland China when no country is given; else None.

    Spaces, dashes, brackets, full-width digits, 0086 and 86 prefixes all meet the same form.
    """
    if len(typed) > 40:
        return None
    text = _SEPARATORS.sub("", unicodedata.normalize("NFKC", typed))
    if not _DIALLED.fullmatch(text):
        return None
    if text.startswith("00"):
        text = "+" + text[2:]
    if text.startswith("86") and _MAINLAND_MOBILE.fullmatch(text[2:]):
        text = "+" + text
    # What nearly everybody types needs no table of the world. Carriers open ranges faster than the metadata learns
    # of them: any 1[3-9] mainland mobile will do.
    digits = text.removeprefix(_MAINLAND)
    if _MAINLAND_MOBILE.fullmatch(digits):
        return _MAINLAND + digits
    # Loaded when the first number from elsewhere comes: its table of the world is large.
    import phonenumbers

    try:
        number = phonenumbers.parse(text, "CN")
    except phonenumbers.NumberParseException:
        return None
    e164: str = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if e164.startswith(_MAINLAND) and _MAINLAND_MOBILE.fullmatch(e164[3:]):
        return e164
    return e164 if phonenumbers.is_valid_number(number) else None


def identifier_of(canonical: str) -> Identifier:
    """Return a canonical phone or email with its kind. Never give it a username."""
    return Identifier(Kind.EMAIL if "@" in canonical else Kind.PHONE, canonical)


def claim_phone(digits: str) -> str:
    """The canonical form of 7 to 15 digits given without proof (CareyShop registration).

    A real number gets its E.164 form; anything else becomes a mainland claim that can never receive a code.
    """
    return parse_phone(digits) or _MAINLAND + digits


def national(e164: str) -> str:
    """What people of the mainland write: without +86 there, E.164 elsewhere, "" for no number."""
    return e164.removeprefix(_MAINLAND)


def can_receive_sms(e164: str, countries: tuple[str, ...]) -> bool:
    """Whether a code may be sent there: an allowed country prefix (such as "+86") and a number of a mobile kind."""
    if not any(e164.startswith(prefix) for prefix in countries):
        return False
    if e164.startswith(_MAINLAND):
        return _MAINLAND_MOBILE.fullmatch(e164[3:]) is not None
    import phonenumbers

    try:
        kind = phonenumbers.number_type(phonenumbers.parse(e164, None))
    except phonenumbers.NumberParseException:
        return False
    return kind in {phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE}


def parse_email(typed: str) -> str | None:
    """Canonical address: NFKC, lower case, one ASCII @, domain as A-labels; None for anything odd.

    Quoted local parts, comments, several @, controls and spaces are refused, after normalising
    (docs/security/attacks.md TY-7).
    """
    if len(typed) > _MAX_TYPED:
        return None
    text = unicodedata.normalize("NFKC", typed).strip().casefold()
    local, at, domain = text.partition("@")
    if not at or "@" in domain or len(local) > 64 or not _LOCAL_PART.fullmatch(local):
        return None
    try:
        ascii_domain = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        return None
    address = f"{local}@{ascii_domain}"
    if "." not in ascii_domain or ascii_domain.endswith(".") or len(address) > 254:
        return None
    return address


def parse_username(typed: str) -> str | None:
    """Canonical (lower-case) username, or None: 4 to 20 ASCII letters, digits, _ and -.

    A name that reads as a phone number is refused: it could be somebody's.
    """
    if not _USERNAME.fullmatch(typed) or parse_phone(typed) is not None:
        return None
    return typed.lower()


def classify(typed: str) -> Identifier | None:
    """What a login field holds; None when no account can have such an identifier."""
    if phone := parse_phone(typed):
        return Identifier(Kind.PHONE, phone)
    if email := parse_email(typed):
        return Identifier(Kind.EMAIL, email)
    name = unicodedata.normalize("NFKC", typed[:_MAX_TYPED]).strip()
    if username := parse_username(name):
        return Identifier(Kind.USERNAME, username)
    return None


def masked(identifier: str) -> str:
    """A form fit for logs, audit rows and other people's eyes: `135****5662`, `k***n@163.com`, `al***`."""
    local, at, domain = identifier.partition("@")
    if at:
        # What was typed may be anything: it is cut, so that it fills no table.
        return f"{local[:1]}***{local[-1:] if len(local) > 2 else ''}@{domain[:100]}"
    digits = national(identifier)
    if digits.removeprefix("+").isdigit() and len(digits) >= 7:
        shown = 4 if len(digits) >= 11 else 2
        return f"{digits[: shown - 1]}****{digits[-shown:]}"
    return f"{identifier[:2]}***"
