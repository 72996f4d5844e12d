"""Define what a vendor's receipt says of a message, and how a push of receipts is answered.

(docs/contracts/vendors.md section 3, "Receipts".)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import Final

PREFIX: Final = "/receipts/"
"""Begins the path to which vendors push. The name of the sender and its secret follow, with a slash between them."""

DELIVERED: Final = "delivered"
FAILED: Final = "failed:"
OTHER: Final = "other"
"""In place of a vendor's word that cannot be kept: it has other characters, is too long, or may be a number."""

_WORD: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{7}", re.ASCII)


class ReceiptOutcome(StrEnum):
    """Say what became of a receipt. The docs show the text below each member."""

    DELIVERED = "delivered"
    """The message arrived."""
    FAILED = "failed"
    """The message did not arrive."""
    UNMATCHED = "unmatched"
    """No message has that number of the vendor. It was dropped."""
    REFUSED = "refused"
    """A whole push that changed nothing: it was not signed, could not be read, or came beside too many others."""


class PushRefusal(Enum):
    """Name why a push changes nothing."""

    UNSIGNED = auto()
    """Its vendor signs, and the signature is not there or wrong."""
    UNREADABLE = auto()
    """It is no push of its vendor."""
    BUSY = auto()
    """Too many pushes of this sender are under way. The vendor repeats it."""


@dataclass(frozen=True, slots=True)
class PushAnswer:
    """Hold the body that a vendor wants as the answer to a push that was taken, and its type."""

    body: bytes
    content_type: str


def push_path(sender: str, secret: str) -> str:
    """Return the path to which the vendor of a sender pushes receipts."""
    return f"{PREFIX}{sender}/{secret}"


def outcome_text(*, delivered: bool, code: str) -> str:
    """Return what a row keeps of a receipt: "delivered", or "failed:" and the vendor's word.

    The word has at most 64 characters of a small set, and no seven digits in a row: it is never a text or a number.
    """
    if delivered:
        return DELIVERED
    kept = _WORD.fullmatch(code) and not _NUMBER.search(code)
    return FAILED + (code if kept else OTHER)
