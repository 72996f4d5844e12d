"""A vendor that hangs holds its own places only, and a mail relay that hangs holds up no text message."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from menshen.app.asgi import DELIVER_EVERY
from menshen.core.delivery.messages import Channel, MessageState
from menshen.flows.delivery.courier import keep_delivering
from menshen.flows.delivery.places import AT_ONCE_PER_SENDER
from tests.faults.deliveries.counting_vendor import CountingVendor, Mood, counting_vendor
from tests.faults.deliveries.outboxes import LATER, Ahead, message_to, post_of, put_codes, stored
from tests.faults.site import Site, settled
from tests.faults.waiting import until, wait_until
from tests.patience import AS_SHIPPED, PATIENT

SLOW = [f"+86138001380{n:02}" for n in range(20)]
OTHERS = [f"+8526123{n:04}" for n in range(200)]
SENT, UNKNOWN = MessageState.SENT, MessageState.UNKNOWN


@contextmanager
def site_of_two_countries(
    folder: Path, seconds: float = 30, patience: Mapping[str, str] = PATIENT
) -> Iterator[tuple[Site, CountingVendor]]:
    """A site with a sender for each of two countries, and a mail relay."""
    with counting_vendor() as vendor:
        slow = vendor.table("slow", countries=["+86"], timeout_seconds=seconds)
        good = vendor.table("good", countries=["+852"], timeout_seconds=seconds)
        environ = vendor.environ(slow, good) | vendor.mail_environ(seconds)
        with settled(folder, "", 1, **patience, **environ) as site:
            yield site, vendor


def test_two_hundred_messages_pass_beside_a_vendor_that_hangs(tmp_path: Path) -> None:
    with site_of_two_countries(tmp_path) as (site, vendor):
        vendor.moods = {"slow": Mood.HOLDS}
        put_codes(site, *SLOW, *OTHERS)
        site.start()
        wait_until(lambda: len(vendor.arrived) == len(OTHERS) + AT_ONCE_PER_SENDER)
        wait_until(lambda: sum(one.state is SENT for one in stored(site).values()) == len(OTHERS))
        assert vendor.by_sender == {"good": 200, "slow": 8}
        assert vendor.holding["slow"] == AT_ONCE_PER_SENDER
        assert vendor.most_held["good"] <= AT_ONCE_PER_SENDER
        vendor.moods = {}
        wait_until(lambda: {one.state for one in stored(site).values()} == {SENT})
        assert vendor.most == 1
        assert vendor.most_held["slow"] == AT_ONCE_PER_SENDER


@pytest.mark.timing
def test_they_pass_in_time(tmp_path: Path) -> None:
    with site_of_two_countries(tmp_path, patience=AS_SHIPPED) as (site, vendor):
        vendor.moods = {"slow": Mood.HOLDS}
        waits = sorted(asyncio.run(_waits_beside(site, vendor)))
        print(f"p50 {waits[99]:.3f} s, p99 {waits[197]:.3f} s, at most {waits[-1]:.3f} s")
        assert waits[197] < 1.0


async def _waits_beside(site: Site, vendor: CountingVendor) -> list[float]:
    """Put 200 codes, 50 a second, while the other vendor answers each after 5 s. Seconds until each one arrived."""
    put_at: dict[str, float] = {}
    put_codes(site, *SLOW)
    async with post_of(site) as post:
        courier = post.of(Channel.SMS)
        task = asyncio.create_task(keep_delivering(courier, DELIVER_EVERY, lambda _: None))
        await until(lambda: vendor.holding["slow"] == AT_ONCE_PER_SENDER)
        began = time.monotonic()
        for place, receiver in enumerate(OTHERS):
            await asyncio.sleep(began + place * 0.02 - time.monotonic())
            await post.put(message_to(receiver))
            # As a server does when it has put one.
            courier.wake()
            put_at[receiver] = time.monotonic()
        await asyncio.sleep(began + 5 - time.monotonic())
        assert vendor.holding["slow"] == AT_ONCE_PER_SENDER
        vendor.moods = {}
        await until(lambda: all(vendor.times(receiver) for receiver in OTHERS))
        task.cancel()
        await courier.finish()
    return [vendor.arrived[receiver] - put_at[receiver] for receiver in OTHERS]


def test_a_relay_that_hangs_holds_up_no_text_message(tmp_path: Path) -> None:
    mails = [f"kevin{n}@shop.example" for n in range(12)]
    with site_of_two_countries(tmp_path) as (site, vendor):
        vendor.moods = {"mail": Mood.HOLDS}
        put_codes(site, *mails)
        site.start()
        wait_until(lambda: vendor.holding["mail"] == AT_ONCE_PER_SENDER)
        put_codes(site, *OTHERS[:40])
        wait_until(lambda: sum(one.state is SENT for one in stored(site).values()) == 40)
        assert vendor.holding["mail"] == AT_ONCE_PER_SENDER
        vendor.moods = {}
        wait_until(lambda: {one.state for one in stored(site).values()} == {SENT})
        assert vendor.most == 1


def test_a_relay_that_takes_a_mail_and_never_answers_has_it_once(tmp_path: Path) -> None:
    mail = "kevin@shop.example"
    with site_of_two_countries(tmp_path, 0.5) as (site, vendor):
        vendor.moods = {"mail": Mood.HOLDS}
        put_codes(site, mail)
        site.start()
        wait_until(lambda: stored(site)[mail].state is UNKNOWN)
        vendor.moods = {}
        _look_again(site)
        assert (vendor.times(mail), stored(site)[mail].state) == (1, UNKNOWN)


def _look_again(site: Site) -> None:
    async def look() -> None:
        for ahead in (0, LATER, 10 * LATER):
            async with post_of(site, Ahead(ahead)) as post:
                assert await post.of(Channel.EMAIL).deliver_due() == 0

    asyncio.run(look())
