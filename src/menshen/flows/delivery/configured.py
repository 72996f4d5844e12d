"""Hold senders as the settings configure them, and how long messages are tried."""

from __future__ import annotations

from dataclasses import dataclass

from menshen.core.delivery.next_steps import GIVE_UP
from menshen.core.delivery.senders import SenderTerms
from menshen.ports.delivery import Sender


@dataclass(frozen=True, slots=True)
class ConfiguredSender:
    """Hold a sender with its terms, and the seconds within which it hands over one message."""

    terms: SenderTerms
    sender: Sender
    seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class DeliveryRules:
    """Say how long messages are tried. `countries` are the prefixes of the settings, for reports.

    `give_up` (ms) is how long a code is tried. `backstop` (s) is the time behind a sender's own deadline after which
    its call is cut off: a sender that keeps its word never waits so long.
    """

    countries: tuple[str, ...] = ()
    give_up: int = GIVE_UP
    backstop: float = 2.0
