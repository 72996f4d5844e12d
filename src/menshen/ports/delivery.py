"""Sending messages to people. A sender is one file in `menshen.delivery`."""

from __future__ import annotations

from typing import Protocol

from menshen.core.codes.messages import Message


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
