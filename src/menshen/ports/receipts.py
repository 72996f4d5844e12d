"""Read what vendors report about messages that they took. A receipt never sends anything.

A sender that gets receipts has these methods too. (docs/contracts/vendors.md section 3, "Receipts".)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from menshen.core.time import Instant


@dataclass(frozen=True, slots=True)
class Receipt:
    """Say what became of one message: the vendor's number for it (`Accepted.receipt`), and its word for the result.

    `code` has at most 64 characters and holds neither the number of a person nor a text.
    """

    receipt: str
    delivered: bool
    code: str = ""


@dataclass(frozen=True, slots=True)
class Push:
    """Hold a request in which a vendor pushes receipts. Names of headers are in lower case.

    `url` is the public address that the vendor called, with path and query.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pushed:
    """Hold the receipts of a push, and the body that the vendor wants as its answer (with status 200)."""

    receipts: Sequence[Receipt]
    answer: bytes = b""
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Unsigned:
    """Say that a push does not bear the signature of its vendor, where the vendor signs."""


@runtime_checkable
class ReceiptReader(Protocol):
    """Read receipts that a vendor pushes."""

    def read_push(self, push: Push) -> Pushed | Unsigned | None:
        """Return the receipts; messages that are still under way are left out. Never raises, for any bytes.

        `Unsigned`: the vendor signs, and the signature is not there or wrong. It is compared in constant time, before
        anything else is looked at. None: this is no push of this vendor.
        """
        ...


@runtime_checkable
class ReceiptAsker(Protocol):
    """Ask a vendor about one message."""

    async def ask_receipt(self, receipt: str, *, to: str, sent_at: Instant, nonce: str, now: Instant) -> Receipt | None:
        """Return what the vendor knows about its message `receipt`, or None while it knows nothing certain.

        `to` is the E.164 number that it went to, `sent_at` and `now` are epoch ms, `nonce` is 32 hex characters.

        Raises:
            DeliveryFailed: the vendor was not reached, or refused the question.
            DeliveryUnknown: it gave no answer that can be read.
        """
        ...
