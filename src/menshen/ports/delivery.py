"""Sending messages to people. A sender is one file in a folder of `menshen.adapters.delivery`."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from menshen.core.codes.messages import Message


class Verdict(StrEnum):
    """Say what an answer of a vendor means for the message. What no table lists means neither: it is unknown."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


class DeliveryFailed(Exception):
    """It was provably not handed over; trying again cannot send it twice. Carries no address and no code."""


class DeliveryUnknown(Exception):
    """It may have been handed over: trying again could send it twice, so nobody does. Carries no address, no code."""


class Sender(Protocol):
    """Hands one message to people or to whoever carries it there."""

    async def send(self, message: Message) -> None:
        """Return when it was accepted.

        Raises:
            DeliveryFailed: it was not, and may be tried again.
            DeliveryUnknown: nobody can tell, and it must not be.
        """
        ...
