"""Senders of the tests, and couriers with several of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from menshen.core.delivery.messages import Channel, StoredMessage
from menshen.core.delivery.senders import SenderTerms
from menshen.core.delivery.verdicts import Verdict
from menshen.flows.delivery.configured import ConfiguredSender, DeliveryRules
from menshen.flows.delivery.courier import Courier
from menshen.ports.delivery import Accepted, DeliveryFailed, DeliveryUnknown, Handover
from tests.faults.waiting import until
from tests.flows.delivery.couriers import courier_of
from tests.flows.site import Site


@dataclass
class Carrier:
    """A sender that does what the test says, and remembers all that it was handed."""

    answers: Callable[[], Accepted | Exception] = lambda: Accepted("r", 1)
    handed: list[Handover] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    gate: asyncio.Event | None = None

    async def send(self, handover: Handover) -> Accepted:
        self.handed.append(handover)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await (self.gate.wait() if self.gate else asyncio.sleep(0))
            answer = self.answers()
        finally:
            self.at_once -= 1
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def numbers(self) -> list[str]:
        return [handover.message.to for handover in self.handed]


def refusing(verdict: Verdict, retry_after: float = 0) -> Carrier:
    return Carrier(lambda: DeliveryFailed("refused", verdict, code="CODE", retry_after=retry_after))


def silent() -> Carrier:
    return Carrier(lambda: DeliveryUnknown("ReadTimeout"))


def courier(site: Site, *carriers: Carrier, channel: Channel = Channel.SMS, **more: Any) -> Courier:
    """A courier whose senders are called a, b, c ... in this order."""
    senders = [
        ConfiguredSender(SenderTerms(name, order=place), carrier)
        for place, (name, carrier) in enumerate(zip("abcdef", carriers, strict=False))
    ]
    return courier_with(site, *senders, channel=channel, **more)


def courier_with(site: Site, *senders: ConfiguredSender, channel: Channel = Channel.SMS, **more: Any) -> Courier:
    keyring = site.harness.assembled.keyring
    more = {"rules": DeliveryRules(("+86",)), **more}
    return courier_of(channel, *senders, store=site.store, world=site.clock, keyring=keyring, **more)


async def stored(site: Site) -> list[StoredMessage]:
    return list(await site.store.read.outbox.list_all())


async def ask_codes(site: Site, count: int) -> list[str]:
    phones = [f"+8613800{n:06d}" for n in range(count)]
    for phone in phones:
        await site.ask_code(phone, origin=site.elsewhere())
    return phones


async def drain(delivering: Courier) -> None:
    """Hand over all that is left."""
    await delivering.finish()
    await delivering.deliver_due()


async def begun(carrier: Carrier) -> None:
    """Wait until a send is under way."""
    await until(lambda: carrier.handed, every=0)
