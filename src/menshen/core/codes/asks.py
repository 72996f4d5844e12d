"""Define the requests about one-time codes, and their results."""

from __future__ import annotations

from dataclasses import dataclass, field

from menshen.core.codes.one_time_codes import Purpose
from menshen.core.gates.captcha import Presented
from menshen.core.identifiers import Kind


@dataclass(frozen=True, slots=True)
class SendCode:
    """Send a code. `captcha` is None only where none was presented: CareyShop's clients need none at most apps."""

    kind: Kind
    subject: str
    purpose: Purpose
    captcha: Presented | None


@dataclass(frozen=True, slots=True)
class CodeTry:
    """Present a code that was sent to `subject` for `purpose`."""

    kind: Kind
    subject: str
    purpose: Purpose
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CodeSent:
    """Say that the request was accepted. Known and unknown numbers get the same result."""
