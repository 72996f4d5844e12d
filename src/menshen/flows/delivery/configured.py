"""Hold a sender as the settings configure it."""

from __future__ import annotations

from dataclasses import dataclass

from menshen.core.delivery.senders import SenderTerms
from menshen.ports.delivery import Sender


@dataclass(frozen=True, slots=True)
class ConfiguredSender:
    """Hold a sender with its terms, and the seconds within which it hands over one message."""

    terms: SenderTerms
    sender: Sender
    seconds: float = 10.0
