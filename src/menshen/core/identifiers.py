"""Convert usernames, phones and emails that people type into one canonical form.

Only this module decides what is one identifier; `core.text.typed` folds the text before. Storage keeps the canonical
form under a unique index. Limits count by it, and codes are bound to it. (docs/contracts/core.md sections 1.1 and 1.3.)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

import idna

from menshen.core.plain_text import plain
from menshen.core.text.typed import folded, folded_but_joiners

_MAX_TYPED = 320
_MAX_DIALLED = 40
_SEPARATORS = re.compile(r"[\s\-().\u2010-\u2015\u00b7]+")
_DIALLED = re.compile(r"\+?[0-9]{5,20}", re.ASCII)
_MAINLAND_MOBILE = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
_USERNAME = re.compile(r"[A-Za-z0-9_-]{4,20}", re.ASCII)
_LOCAL_PART = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.ASCII)
_MAINLAND = "+86"


class Kind(StrEnum):
    """Name the kinds of identifiers."""

    USERNAME = "username"
    PHONE = "phone"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class Identifier:
    """Identify an account, in canonical form (E.164, lower-case address, case-folded name)."""

    kind: Kind
    canonical: str


def fold(typed: str) -> str:
    """Return the text folded and case-folded. Counters use this form, also for unusable identifiers."""
    return folded(typed[:_MAX_TYPED]).casefold().strip()


def parse_phone(typed: str) -> str | None:
    """Return the E.164 form of a number that can exist, else None. Without a country it is one of mainland China.

    Spaces, dashes, brackets, full-width digits, invisible characters and the prefixes 0086 and 86 change nothing.
    """
    return _phone(folded(typed)) if len(typed) <= _MAX_TYPED else None


def _phone(text: str) -> str | None:
    """Return what `parse_phone` does, of a folded text."""
    if len(text) > _MAX_DIALLED:
        return None
    text = _SEPARATORS.sub("", text)
    if not _DIALLED.fullmatch(text):
        return None
    if text.startswith("00"):
        text = "+" + text[2:]
    if text.startswith("86") and _MAINLAND_MOBILE.fullmatch(text[2:]):
        text = "+" + text
    # Most numbers are mainland mobiles, which need no table of all countries. Carriers open new ranges before the
    # metadata lists them, so any 1[3-9] mainland mobile is accepted.
    digits = text.removeprefix(_MAINLAND)
    if _MAINLAND_MOBILE.fullmatch(digits):
        return _MAINLAND + digits
    # The first foreign number loads this package, because its table of all countries is large.
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
    """Return the identifier of a canonical phone or email. A username is not a valid argument."""
    return Identifier(Kind.EMAIL if "@" in canonical else Kind.PHONE, canonical)


def claim_phone(digits: str) -> str:
    """Return the canonical form of 7 to 15 digits that came without proof (CareyShop registration).

    A real number gets its E.164 form. Other digits become a mainland claim that can never receive a code.
    """
    return parse_phone(digits) or _MAINLAND + digits


def national(e164: str) -> str:
    """Return the number as people in mainland China write it: without +86, or in E.164 if foreign. "" stays ""."""
    return e164.removeprefix(_MAINLAND)


def can_receive_sms(e164: str, countries: tuple[str, ...]) -> bool:
    """Return whether a code may be sent: the country prefix (such as "+86") is allowed, and the number is mobile."""
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
    """Return the canonical address: folded, lower case, one ASCII @, domain as A-labels. None if it is not allowed.

    Quoted local parts, comments, several @, control characters and inner spaces are refused after the folding
    (docs/security/attacks.md TY-7). U+200C and U+200D stay in a domain where a name may hold them, because such a
    domain is another one than that without them (RFC 5892 appendix A).
    """
    return _email(typed, folded(typed)) if len(typed) <= _MAX_TYPED else None


def _email(typed: str, text: str) -> str | None:
    """Return what `parse_email` does. `text` is the folded form of `typed`."""
    local, at, domain = text.casefold().partition("@")
    if not at or "@" in domain or len(local) > 64 or not _LOCAL_PART.fullmatch(local):
        return None
    ascii_domain = _a_labels(folded_but_joiners(typed).casefold().partition("@")[2]) or _a_labels(domain)
    if ascii_domain is None:
        return None
    address = f"{local}@{ascii_domain}"
    if "." not in ascii_domain or ascii_domain.endswith(".") or len(address) > 254:
        return None
    return address


def _a_labels(domain: str) -> str | None:
    try:
        return idna.encode(domain, uts46=True, std3_rules=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        return None


def parse_username(typed: str) -> str | None:
    """Return the canonical (lower-case) username, or None. It has 4 to 20 ASCII letters, digits, _ and -.

    A name that is also a valid phone number is refused, because it could be the number of another person.
    """
    chosen = shown_username(typed)
    return None if chosen is None else chosen.lower()


def shown_username(typed: str) -> str | None:
    """Return a username in upper and lower case as chosen, or None as `parse_username` does."""
    text = folded(typed) if len(typed) <= _MAX_TYPED else ""
    return text if _USERNAME.fullmatch(text) and _phone(text) is None else None


def classify(typed: str) -> Identifier | None:
    """Return the identifier in a login field, or None if no account can have it."""
    if len(typed) > _MAX_TYPED:
        return None
    text = folded(typed)
    if phone := _phone(text):
        return Identifier(Kind.PHONE, phone)
    if email := _email(typed, text):
        return Identifier(Kind.EMAIL, email)
    return Identifier(Kind.USERNAME, text.lower()) if _USERNAME.fullmatch(text) else None


def masked(identifier: str) -> str:
    """Return a masked form for logs, audit rows and other people: `135****5662`, `k***n@163.com`, `al***`.

    It is plain, also if a client typed controls into the field. People type passwords into the field for the name, too:
    what is no address shows nothing behind its `@`. (docs/security/attacks.md LG-8.)
    """
    identifier = plain(folded(identifier[:_MAX_TYPED]))
    local, at, domain = identifier.partition("@")
    if at:
        if parse_email(identifier) is None:
            return "***"
        # It is cut, so that it does not fill the tables.
        return f"{local[:1]}***{local[-1:] if len(local) > 2 else ''}@{domain[:100]}"
    digits = national(identifier)
    if digits.removeprefix("+").isdigit() and len(digits) >= 7:
        shown = 4 if len(digits) >= 11 else 2
        return f"{digits[: shown - 1]}****{digits[-shown:]}"
    return f"{identifier[:2]}***"
