"""Sending messages to people. A sender is one file in `menshen.delivery`."""

from __future__ import annotations

from typing import Protocol

from menshen.core.messages import Message


class DeliveryFailed(Exception):
    """It was provably not handed over; trying again cannot send it twice. Carries no address and no code."""


class Sender(Protocol):
    """Hands one message to people or to whoever carries it there."""

    async def send(self, message: Message) -> None:
        """Return when it was accepted.

        Raises:
            DeliveryFailed: it was not, and may be tried again.
        """
        ...
