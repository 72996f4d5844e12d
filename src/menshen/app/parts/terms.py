"""Make one sender of the settings, and say when it is asked. The file of its type is imported now."""

from __future__ import annotations

from typing import cast

from menshen.app.settings.chosen import Chosen
from menshen.app.settings.sections.sms import SenderKeys
from menshen.core.delivery.messages import Template
from menshen.core.delivery.senders import SenderTerms
from menshen.flows.delivery.configured import ConfiguredSender
from menshen.ports.outward import Outward


def terms_of(chosen: Chosen) -> SenderTerms:
    """Return when a sender of the settings is asked, and its limits."""
    keys = cast("SenderKeys", chosen.terms or SenderKeys())
    return SenderTerms(
        name=chosen.name,
        countries=keys.countries,
        templates=frozenset(
            template
            for template in Template
            if (not keys.purposes or template.purpose in keys.purposes) and chosen.serves(template)
        ),
        order=keys.order,
        weight=keys.weight,
        per_day=keys.per_day,
        cost_micros=keys.cost_micros,
        cost_per_day_micros=keys.cost_per_day_micros,
        repeatable=chosen.repeatable,
    )


def sender_of(chosen: Chosen, outward: Outward) -> ConfiguredSender:
    """Make a sender of the settings."""
    seconds = getattr(chosen.settings, "timeout_seconds", 10.0)
    return ConfiguredSender(terms_of(chosen), chosen.build(outward), seconds)
