"""Send messages to people. A sender is one file in a folder of `menshen.adapters.delivery`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from menshen.core.delivery.messages import Message
from menshen.core.delivery.verdicts import NOT_HANDED_OVER, Verdict
from menshen.core.time import Instant


@dataclass(frozen=True, slots=True)
class Handover:
    """Hold one try to hand over a message.

    `message_id` is its number in the outbox: vendors get it where they give it back in receipts. `nonce` (32 hex
    characters) is the same for the same try only. `now` (epoch ms) is the time of the try. `text` is what a person
    reads, `subject` the subject of a mail. The texts hold no words of a user.
    """

    message: Message
    message_id: int
    nonce: str
    now: Instant
    text: str = field(repr=False)
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Say that a vendor took the message: its own number for it ("" if it gives none), and the parts it counts."""

    receipt: str = ""
    parts: int = 1


class DeliveryFailed(Exception):
    """Report a message that was certainly not handed over. Holds no address and no code.

    `verdict` is one of `NOT_HANDED_OVER`. `code` is the word of the vendor's answer that said so, from the sender's own
    table, "" for none. `retry_after` (s) is what the vendor asked for, 0 for nothing.
    """

    def __init__(
        self, why: str, verdict: Verdict = Verdict.NOT_REACHED, *, code: str = "", retry_after: float = 0
    ) -> None:
        """Take the reason for the log, in words of the program or of the sender's table.

        Raises:
            ValueError: `verdict` does not prove that no vendor has the message.
        """
        if verdict not in NOT_HANDED_OVER:
            raise ValueError(f"{verdict} is no failure")
        super().__init__(why)
        self.verdict = verdict
        self.code = code
        self.retry_after = retry_after


class DeliveryUnknown(Exception):
    """Report a message that may have been handed over: it is not sent again. Holds no address and no code."""


class Sender(Protocol):
    """Hand one message to its receiver or to a vendor that delivers it. A sender knows one vendor, and tries once."""

    async def send(self, handover: Handover) -> Accepted:
        """Return when the vendor said that it took the message.

        It ends within the `timeout_seconds` of its settings.

        Raises:
            DeliveryFailed: it was certainly not accepted.
            DeliveryUnknown: it may have been accepted, and must not be sent again.
        """
        ...
