"""Read the number or address of a form, as people type it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from menshen.core.identifiers import Kind, classify, parse_email, parse_phone
from menshen.wire.pages.call import Call

_MAINLAND: Final = "+86"
_MOST_OF_PHONE: Final = 40
_MOST_OF_ADDRESS: Final = 254


@dataclass(frozen=True, slots=True)
class Typed:
    """Hold what was typed. `subject` is its canonical form, "" for what is no number or address. `field` names it."""

    kind: Kind
    text: str = ""
    region: str = ""
    subject: str = ""
    field: str = ""


def regions(call: Call) -> tuple[str, ...]:
    """Return the country prefixes to which codes are sent, mainland China first where it is one of them."""
    return tuple(sorted(call.flows.policy.sms_countries, key=lambda prefix: prefix != _MAINLAND))


def typed_phone(call: Call) -> Typed:
    """Read the fields `region` and `phone`. A number with a prefix of its own needs no region."""
    text, given = call.field("phone", _MOST_OF_PHONE).strip(), call.field("region")
    known = regions(call)
    region = given if given in known else next(iter(known), _MAINLAND)
    international = text.startswith(("+", "00", "＋"))
    subject = parse_phone(text) if international else parse_phone(region + text)
    if subject is None and region == _MAINLAND:
        subject = parse_phone(text)
    return Typed(Kind.PHONE, text, region, subject or "", "phone")


def typed_email(call: Call) -> Typed:
    """Read the field `email`."""
    text = call.field("email", _MOST_OF_ADDRESS).strip()
    return Typed(Kind.EMAIL, text, "", parse_email(text) or "", "email")


def typed_account(call: Call) -> Typed:
    """Read the field `account`: a phone, or an address."""
    text = call.field("account", _MOST_OF_ADDRESS).strip()
    found = classify(text)
    if found is None or found.kind is Kind.USERNAME:
        return Typed(Kind.EMAIL if "@" in text else Kind.PHONE, text, "", "", "account")
    return Typed(found.kind, text, "", found.canonical, "account")


def typed_as(call: Call, kind: Kind) -> Typed:
    """Read the fields of a kind."""
    return typed_email(call) if kind is Kind.EMAIL else typed_phone(call)
