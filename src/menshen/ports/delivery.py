"""Send messages to people. A sender is one file in a folder of `menshen.adapters.delivery`."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from menshen.core.codes.messages import Message


class Verdict(StrEnum):
    """Say what an answer of a vendor means for the message. What no table lists means neither: it is unknown."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


class DeliveryFailed(Exception):
    """Report a message that was not handed over: a retry cannot send it twice. Holds no address and no code."""


class DeliveryUnknown(Exception):
    """Report a message that may have been handed over: it is not sent again. Holds no address and no code."""


class Sender(Protocol):
    """Hand one message to its receiver or to a vendor that delivers it."""

    async def send(self, message: Message) -> None:
        """Return when the message was accepted.

        Raises:
            DeliveryFailed: it was not accepted, and may be sent again.
            DeliveryUnknown: it may have been accepted, and must not be sent again.
        """
        ...
