"""Make the senders of the settings, and a courier for each channel. The file of each type is imported now."""

from __future__ import annotations

from collections.abc import Sequence

from menshen.app.parts.configured import sender_of
from menshen.app.settings.reader import Settings
from menshen.app.telemetry.sends import Sends
from menshen.core.delivery.messages import Channel
from menshen.core.keys import Keyring
from menshen.core.time import SECOND
from menshen.flows.background.clock import ClockWatch
from menshen.flows.delivery.configured import DeliveryRules
from menshen.flows.delivery.courier import Courier
from menshen.ports.outward import Outward
from menshen.ports.store.store import Store
from menshen.ports.texts import Texts
from menshen.ports.world import World


def couriers_of(
    settings: Settings,
    outward: Outward,
    texts: Texts,
    *,
    store: Store,
    world: World,
    keyring: Keyring,
    clocks: ClockWatch,
) -> Sequence[Courier]:
    """Make the courier of each channel. They send nothing before they are started."""
    chosen = {Channel.SMS: settings.sms.chosen, Channel.EMAIL: (settings.email.sender,)}
    countries = settings.sms.countries
    sends = Sends({channel: [one.name for one in senders] for channel, senders in chosen.items()}, countries)
    return [
        Courier(
            channel,
            [sender_of(one, outward) for one in senders],
            store=store,
            world=world,
            keyring=keyring,
            render=texts.render,
            clocks=clocks,
            reports=sends,
            rules=DeliveryRules(countries, settings.sms.give_up_seconds * SECOND),
        )
        for channel, senders in chosen.items()
    ]
