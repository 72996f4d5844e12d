"""What happens without being asked: messages leave once, come back when they failed, and the dead are swept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from menshen.core.delivery.messages import Message, MessageState
from menshen.core.time import DAY, HOUR, MINUTE, SECOND
from menshen.flows.background.sweep import sweep
from menshen.ports.delivery import Accepted, DeliveryFailed, DeliveryUnknown, Handover
from menshen.testing.couriers import deliver_due
from tests.flows.site import PHONE, Site


@dataclass
class Carrier:
    """A sender that does what the test says."""

    sent: list[Message] = field(default_factory=list)
    fails: Callable[[], Exception | None] = lambda: None

    async def send(self, handover: Handover) -> Accepted:
        await asyncio.sleep(0)
        if failure := self.fails():
            raise failure
        self.sent.append(handover.message)
        return Accepted()


async def sweep_all(site: Site) -> int:
    clocks = site.harness.assembled.clocks
    return await sweep(store=site.store, world=site.clock, audit_days=180, clocks=clocks)


async def deliver(site: Site, carrier: Carrier) -> int:
    keyring = site.harness.assembled.keyring
    return await deliver_due(store=site.store, sender=carrier, world=site.clock, keyring=keyring)


async def test_a_message_leaves_once(site: Site) -> None:
    await site.ask_code()
    carrier = Carrier()
    assert await deliver(site, carrier) == 1
    assert [message.to for message in carrier.sent] == [PHONE]
    assert await deliver(site, carrier) == 0
    (stored,) = await site.store.read.outbox.list_all()
    assert stored.sent_at == site.clock.now()


async def test_of_racing_workers_one_sends(each_site: Site) -> None:
    site = each_site
    for n in range(5):
        await site.ask_code(f"+861380013800{n}", origin=site.elsewhere())
    carrier = Carrier()
    await asyncio.gather(*(deliver(site, carrier) for _ in range(10)))
    assert sorted(message.to for message in carrier.sent) == [f"+861380013800{n}" for n in range(5)]


async def test_what_failed_is_tried_again_five_times_10_s_doubling(site: Site) -> None:
    await site.ask_code()
    carrier = Carrier(fails=lambda: DeliveryFailed("451"))
    for wait in (10, 20, 40, 80):
        assert await deliver(site, carrier) == 1
        site.clock.advance(wait * SECOND - 1)
        assert await deliver(site, carrier) == 0
        site.clock.advance(1)
    assert await deliver(site, carrier) == 1
    site.clock.advance(300 * DAY)
    assert await deliver(site, carrier) == 0
    (stored,) = await site.store.read.outbox.list_all()
    assert (stored.failures, stored.sent_at) == (5, 0)


async def test_a_failure_that_passes_delays_the_message_only(site: Site) -> None:
    await site.ask_code()
    failures = [DeliveryFailed("451"), None]
    carrier = Carrier(fails=lambda: failures.pop(0))
    await deliver(site, carrier)
    site.clock.advance(10 * SECOND)
    await deliver(site, carrier)
    assert len(carrier.sent) == 1


async def test_what_may_have_left_is_not_sent_twice(site: Site) -> None:
    await site.ask_code()
    carrier = Carrier(fails=lambda: DeliveryUnknown("timed out"))
    assert await deliver(site, carrier) == 1
    site.clock.advance(300 * DAY)
    assert await deliver(site, carrier) == 0


async def test_a_fifth_try_that_ends_unknown_is_not_said_to_have_failed(site: Site) -> None:
    await site.ask_code()
    failures: list[Exception] = [DeliveryFailed("451")] * 4 + [DeliveryUnknown("timed out")]
    carrier = Carrier(fails=lambda: failures.pop(0))
    for wait in (10, 20, 40, 80, 160):
        assert await deliver(site, carrier) == 1
        site.clock.advance(wait * SECOND)
    (stored,) = await site.store.read.outbox.list_all()
    assert (stored.failures, stored.state) == (5, MessageState.UNKNOWN)
    assert await deliver(site, carrier) == 0


async def test_a_worker_that_dies_while_sending_leaves_the_message_to_another(site: Site) -> None:
    await site.ask_code()
    carrier = Carrier(fails=lambda: RuntimeError("killed"))
    with pytest.raises(RuntimeError):
        await deliver(site, carrier)
    site.clock.advance(2 * MINUTE - 1)
    other = Carrier()
    assert await deliver(site, other) == 0
    site.clock.advance(1)
    assert await deliver(site, other) == 1
    assert len(other.sent) == 1


async def test_sweeping_leaves_the_living(site: Site) -> None:
    await site.kevin()
    await site.code()
    granted = await site.login()
    await site.fail(3)
    assert await sweep_all(site) == 0
    # What was spent is kept two hours beyond its end, for clocks apart (docs/security/attacks.md SG-7).
    site.clock.advance(3 * HOUR)
    swept = await sweep_all(site)
    assert swept > 0
    assert await site.alive(granted) == [True]
    site.clock.advance(400 * DAY)
    while await sweep_all(site):
        pass
    assert await site.harness.events() == []
    assert await site.sessions(await site.account(1)) == []
