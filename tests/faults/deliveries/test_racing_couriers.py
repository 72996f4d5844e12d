"""Many workers over one outbox: each message leaves once, and what senders handed over a day is counted exactly."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest

from menshen.app.world import SystemWorld
from menshen.core.codes.sms_traffic import day_of
from menshen.core.delivery.messages import Channel, MessageState
from menshen.core.delivery.senders import SenderTerms
from menshen.core.delivery.verdicts import Verdict
from menshen.core.keys import Key, Keyring
from menshen.core.time import DAY, SECOND, Instant, after
from menshen.flows.delivery.configured import ConfiguredSender
from menshen.ports.delivery import Accepted, DeliveryFailed, Handover
from tests.faults.deliveries.counting_vendor import CountingVendor, counting_vendor
from tests.faults.deliveries.outboxes import charged, message_to, post_of, put, put_codes, stored
from tests.faults.site import Site, settled
from tests.faults.waiting import wait_until
from tests.flows.delivery.couriers import courier_of
from tests.patience import PATIENT

STORES = pytest.mark.parametrize("store", ["postgresql", "sqlite"])
KEYRING = Keyring((Key("test", b"k" * 32),), Key("index", b"i" * 32))
SENT, GIVEN_UP = MessageState.SENT, MessageState.GIVEN_UP


def phones(count: int) -> list[str]:
    return [f"+861380{n:07}" for n in range(count)]


@contextmanager
def site_with_vendor(folder: Path, url: str) -> Iterator[tuple[Site, CountingVendor]]:
    with counting_vendor() as vendor:
        senders = [vendor.table(name, timeout_seconds=60) for name in ("one", "two")]
        with settled(folder, url, 1, **PATIENT, **vendor.environ(*senders)) as site:
            yield site, vendor


def expect_each_once(site: Site, vendor: CountingVendor, receivers: Sequence[str]) -> None:
    assert {receiver: vendor.times(receiver) for receiver in receivers} == dict.fromkeys(receivers, 1)
    assert {one.state for one in stored(site).values()} == {SENT}
    assert charged(site) == dict(vendor.by_sender)
    assert sum(vendor.by_sender.values()) == len(receivers)


@pytest.mark.long
@STORES
def test_two_nodes_of_two_workers_share_five_hundred(tmp_path: Path, postgres_url: str, store: str) -> None:
    with site_with_vendor(tmp_path, postgres_url if store == "postgresql" else "") as (site, vendor):
        receivers = phones(500)
        put_codes(site, *receivers[:400])
        nodes = [site.start("--workers", "2") for _ in range(2)]
        put_codes(site, *receivers[400:])
        wait_until(lambda: {one.state for one in stored(site).values()} == {SENT}, every=0.5)
        expect_each_once(site, vendor, receivers)
        assert [node.stop() for node in nodes] == [0, 0]


@STORES
def test_four_workers_share_what_waits(tmp_path: Path, postgres_url: str, store: str) -> None:
    with site_with_vendor(tmp_path, postgres_url if store == "postgresql" else "") as (site, vendor):
        receivers = phones(60)
        put_codes(site, *receivers)

        async def race() -> None:
            async with AsyncExitStack() as stack:
                posts = [await stack.enter_async_context(post_of(site)) for _ in range(4)]
                await asyncio.gather(*(post.of(Channel.SMS).deliver_due() for post in posts))

        asyncio.run(race())
        expect_each_once(site, vendor, receivers)


class Midnight(SystemWorld):
    """A clock that stands shortly before midnight (UTC) until 25 messages were handed over, and then behind it."""

    def __init__(self) -> None:
        start = super().now() + 2 * DAY
        self.at = start - start % DAY - SECOND
        self.began = day_of(Instant(self.at))
        self.asked = 0

    def count(self) -> None:
        self.asked += 1
        if self.asked == 25:
            self.at += 2 * SECOND

    def now(self) -> Instant:
        return Instant(self.at)


@STORES
@pytest.mark.parametrize("seed", [1, 2])
def test_days_are_counted_exactly_over_midnight(tmp_path: Path, postgres_url: str, store: str, seed: int) -> None:
    """By workers that race, with senders that refuse at random, limits of the day, and messages of several parts."""
    luck, world = random.Random(seed), Midnight()
    taken: Counter[tuple[str, int]] = Counter()
    parts: Counter[tuple[str, int]] = Counter()

    class Fickle:
        def __init__(self, name: str) -> None:
            self.name = name

        async def send(self, handover: Handover) -> Accepted:
            world.count()
            await asyncio.sleep(luck.random() * 0.005)
            if luck.random() < 0.4:
                raise DeliveryFailed("refused", luck.choice([Verdict.THROTTLED_NUMBER, Verdict.NOT_REACHED]))
            accepted = Accepted("r", luck.choice([1, 1, 3]))
            taken[self.name, day_of(handover.now)] += 1
            parts[self.name, day_of(handover.now)] += accepted.parts
            return accepted

    senders = [
        ConfiguredSender(SenderTerms("first", order=1, per_day=9, cost_micros=10), Fickle("first")),
        ConfiguredSender(SenderTerms("second", order=2, cost_micros=7), Fickle("second")),
        ConfiguredSender(SenderTerms("third", order=2, weight=50), Fickle("third")),
    ]
    with settled(tmp_path, postgres_url if store == "postgresql" else "", 1, **PATIENT) as site:
        receivers = phones(60)
        made = after(Instant(world.at), -1000)
        put(site, *(message_to(receiver, at=made) for receiver in receivers))

        async def race() -> None:
            async with AsyncExitStack() as stack:
                posts = [await stack.enter_async_context(post_of(site)) for _ in range(4)]
                couriers = [
                    courier_of(Channel.SMS, *senders, store=post.store, world=world, keyring=KEYRING) for post in posts
                ]
                await asyncio.gather(*(courier.deliver_due() for courier in couriers))

        asyncio.run(race())
        rows = site.rows("SELECT sender, day, messages, parts, cost_micros FROM sender_days")
        prices = {one.terms.name: one.terms.cost_micros for one in senders}
        assert {(sender, day): messages for sender, day, messages, *_ in rows if messages} == dict(taken)
        assert {(sender, day): count for sender, day, _, count, _ in rows if count} == dict(parts)
        assert all(cost == count * prices[sender] for sender, _, _, count, cost in rows)
        assert {day for _, day in taken} == {world.began, world.began + 1}, "the race passed midnight"
        assert all(taken["first", day] <= 9 for day in (world.began, world.began + 1))
        assert sum(one.state is SENT for one in stored(site).values()) == sum(taken.values())
