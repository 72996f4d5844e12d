"""What may be asked about one-time codes, and what is answered."""

from __future__ import annotations

from dataclasses import dataclass, field

from menshen.core.codes.one_time_codes import Purpose
from menshen.core.gates.captcha import Presented
from menshen.core.identifiers import Kind


@dataclass(frozen=True, slots=True)
class SendCode:
    """Send a code. `captcha` None only where the contract asks for none (CareyShop)."""

    kind: Kind
    subject: str
    purpose: Purpose
    captcha: Presented | None


@dataclass(frozen=True, slots=True)
class CodeTry:
    """A code presented for `purpose` at `subject`."""

    kind: Kind
    subject: str
    purpose: Purpose
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CodeSent:
    """Accepted for sending; the same for known and unknown numbers."""
