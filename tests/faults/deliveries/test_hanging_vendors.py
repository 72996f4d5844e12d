"""A vendor that hangs holds its own places only, and a mail relay that hangs holds up no text message."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from menshen.core.delivery.messages import Channel, MessageState
from menshen.flows.delivery.places import AT_ONCE_PER_SENDER
from tests.faults.deliveries.counting_vendor import CountingVendor, Mood, counting_vendor
from tests.faults.deliveries.outboxes import LATER, Ahead, post_of, put_codes, stored
from tests.faults.site import Site, settled
from tests.faults.waiting import wait_until
from tests.patience import AS_SHIPPED, PATIENT

SLOW = [f"+86138001380{n:02}" for n in range(20)]
OTHERS = [f"+8526123{n:04}" for n in range(200)]
SENT, UNKNOWN = MessageState.SENT, MessageState.UNKNOWN


@contextmanager
def site_of_two_countries(folder: Path, seconds: float = 30, **more: str) -> Iterator[tuple[Site, CountingVendor]]:
    """A site with a sender for each of two countries, and a mail relay."""
    with counting_vendor() as vendor:
        slow = vendor.table("slow", countries=["+86"], timeout_seconds=seconds)
        good = vendor.table("good", countries=["+852"], timeout_seconds=seconds)
        environ = vendor.environ(slow, good) | vendor.mail_environ(seconds)
        with settled(folder, "", 1, **{**PATIENT, **environ, **more}) as site:
            yield site, vendor


def test_two_hundred_messages_pass_beside_a_vendor_that_hangs(tmp_path: Path) -> None:
    with site_of_two_countries(tmp_path) as (site, vendor):
        vendor.moods = {"slow": Mood.HOLDS}
        put_codes(site, *SLOW, *OTHERS)
        site.start()
        wait_until(lambda: len(vendor.arrived) == len(OTHERS) + AT_ONCE_PER_SENDER)
        wait_until(lambda: sum(one.state is SENT for one in stored(site).values()) == len(OTHERS))
        assert vendor.by_sender == {"good": 200, "slow": AT_ONCE_PER_SENDER}
        assert vendor.holding["slow"] == AT_ONCE_PER_SENDER
        assert vendor.most_held["good"] <= AT_ONCE_PER_SENDER
        vendor.moods = {}
        wait_until(lambda: {one.state for one in stored(site).values()} == {SENT})
        assert vendor.most == 1
        assert vendor.most_held["slow"] == AT_ONCE_PER_SENDER


@pytest.mark.timing
def test_they_pass_in_time(tmp_path: Path) -> None:
    """200 messages in 4 s, while the other vendor answers each after 5 s."""
    with site_of_two_countries(tmp_path, **AS_SHIPPED) as (site, vendor):
        vendor.moods = {"slow": Mood.HOLDS}
        site.start()
        put_codes(site, *SLOW)
        wait_until(lambda: vendor.holding["slow"] == AT_ONCE_PER_SENDER)
        began = time.monotonic()
        was_put: dict[str, float] = {}
        for place, receiver in enumerate(OTHERS):
            time.sleep(max(0.0, began + place * 0.02 - time.monotonic()))
            put_codes(site, receiver)
            was_put[receiver] = time.monotonic()
        wait_until(lambda: all(vendor.times(receiver) for receiver in OTHERS))
        waits = sorted(vendor.arrived[receiver] - was_put[receiver] for receiver in OTHERS)
        print(f"p50 {waits[99]:.3f} s, p99 {waits[197]:.3f} s, at most {waits[-1]:.3f} s")
        assert vendor.holding["slow"] == AT_ONCE_PER_SENDER
        vendor.moods = {}
        assert waits[197] < 1.0


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
