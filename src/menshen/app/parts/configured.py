"""Make one sender of the settings. The file of its type is imported now."""

from __future__ import annotations

from menshen.app.settings.chosen import Chosen
from menshen.app.settings.senders import terms_of
from menshen.flows.delivery.configured import ConfiguredSender
from menshen.ports.outward import Outward


def sender_of(chosen: Chosen, outward: Outward) -> ConfiguredSender:
    """Make a sender of the settings. It calls nobody."""
    seconds = getattr(chosen.settings, "timeout_seconds", 10.0)
    return ConfiguredSender(terms_of(chosen), chosen.build(outward), seconds)
