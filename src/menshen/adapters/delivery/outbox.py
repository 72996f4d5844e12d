"""Leave messages in the database, where `menshen outbox` lists them.

With this sender a first start works without any account elsewhere. It refuses to serve the open network.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from menshen.ports.delivery import Accepted, Handover, Sender
from menshen.ports.outward import Outward


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold no keys."""

    repeatable: ClassVar[bool] = True


class OutboxSender:
    """Leave messages to those who read the outbox. Implements `menshen.ports.delivery.Sender`."""

    async def send(self, handover: Handover) -> Accepted:
        """Do nothing: the message already lies in the outbox."""
        return Accepted()


def build(settings: Settings, outward: Outward) -> Sender:
    """Make the sender. It makes no call."""
    return OutboxSender()
