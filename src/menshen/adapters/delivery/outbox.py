"""The outbox sender: messages stay in the database, to be read with `menshen outbox`.

It is how a first start works without any account elsewhere, and refuses to serve the open network.
"""

from __future__ import annotations

from msgspec import Struct

from menshen.core.codes.messages import Message
from menshen.ports.delivery import Sender
from menshen.ports.outward import Outward


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """It has no keys."""


class OutboxSender:
    """`menshen.ports.delivery.Sender` that hands over to whoever reads the outbox."""

    async def send(self, message: Message) -> None:
        """The message already lies in the outbox: there is nothing left to hand over."""


def build(settings: Settings, outward: Outward) -> Sender:
    """Make the sender. It calls nobody."""
    return OutboxSender()
