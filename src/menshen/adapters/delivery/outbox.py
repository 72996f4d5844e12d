"""Leave messages in the database, where `menshen outbox` lists them.

With this sender a first start works without any account elsewhere. It refuses to serve the open network.
"""

from __future__ import annotations

from msgspec import Struct

from menshen.core.codes.messages import Message
from menshen.ports.delivery import Sender
from menshen.ports.outward import Outward


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Define no keys."""


class OutboxSender:
    """Implement `menshen.ports.delivery.Sender` for the readers of the outbox."""

    async def send(self, message: Message) -> None:
        """Do nothing: the message is already in the outbox."""


def build(settings: Settings, outward: Outward) -> Sender:
    """Make the sender. It makes no call."""
    return OutboxSender()
