"""Hand over what is due in tests, by senders of the test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from menshen.core.delivery.messages import Channel, Message
from menshen.core.delivery.senders import SenderTerms
from menshen.core.delivery.wording import render as rendered
from menshen.core.keys import Keyring
from menshen.flows.delivery.configured import ConfiguredSender
from menshen.flows.delivery.courier import Courier
from menshen.ports.delivery import Sender
from menshen.ports.store.store import Store
from menshen.ports.world import World
from menshen.texts.reader import language_of, texts_in


def render(message: Message) -> tuple[str, str]:
    """Return the built-in subject and text of a message."""
    return rendered(texts_in(language_of(message.language)), message)


def courier_of(
    channel: Channel, *senders: ConfiguredSender, store: Store, world: World, keyring: Keyring, **more: Any
) -> Courier:
    """Make a courier of one channel with the built-in texts. `more` are further arguments of `Courier`."""
    return Courier(channel, senders, store=store, world=world, keyring=keyring, render=render, **more)


async def deliver_due(*, store: Store, sender: Sender, world: World, keyring: Keyring, **more: Any) -> int:
    """Hand over what is due in both channels by one sender, and return how many messages were handled."""
    count = 0
    for channel in Channel:
        configured = ConfiguredSender(SenderTerms("test"), sender)
        courier = courier_of(channel, configured, store=store, world=world, keyring=keyring, **more)
        count += await courier.deliver_due()
    return count


def settled(couriers: Sequence[Courier]) -> bool:
    """Tell whether none of them hands over a message at this moment."""
    return not any(courier.under_way for courier in couriers)
