"""Define agreements to terms: which text, in which state, and when an account agreed to it.

The words of the texts are not known here. (docs/contracts/pages.md section 3.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from menshen.core.plain_text import is_plain
from menshen.core.time import Instant

TERMS: Final = "terms"
"""The kind of the terms of an app. Other kinds are the ids of its further consents."""

MOST_AT_ONCE: Final = 16
"""The most agreements in one call."""

_LONGEST: Final = 64


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agree to one text. `kind` is `TERMS` or the id of a further consent, and `version` names the state of the text.

    Both are those that the settings of the app name.
    """

    kind: str
    version: str


@dataclass(frozen=True, slots=True)
class AgreedTerms:
    """Hold what an account agreed to, at which app, when (epoch ms) and from which address."""

    kind: str
    version: str
    app_id: int
    at: Instant
    ip: str = ""


def may_be_kept(asked: Sequence[Agreement]) -> bool:
    """Return whether these are agreements that a call may ask to keep: a few, with short plain names."""
    names = [name for one in asked for name in (one.kind, one.version)]
    return len(asked) <= MOST_AT_ONCE and all(0 < len(name) <= _LONGEST and is_plain(name) for name in names)


def stands(agreed: Sequence[AgreedTerms], app_id: int, wanted: Agreement) -> bool:
    """Return whether the account agreed to this version at this app."""
    return any((one.app_id, one.kind, one.version) == (app_id, wanted.kind, wanted.version) for one in agreed)
