"""SIGTERM while vendors think: what is under way ends and is noted, nothing new begins, and the process ends."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from menshen.core.delivery.messages import MessageState
from tests.faults.deliveries.counting_vendor import CountingVendor, Mood, counting_vendor
from tests.faults.deliveries.outboxes import charged, put_codes, stored
from tests.faults.site import Site, settled
from tests.faults.test_kill import children
from tests.faults.waiting import GUARD, wait_until
from tests.patience import PATIENT
from tests.server import Server

PHONES = [f"+86138001380{n:02}" for n in range(20)]


@contextmanager
def running_site(folder: Path, *arguments: str, seconds: float = 30) -> Iterator[tuple[Site, CountingVendor, Server]]:
    """A running server with two senders, of which the second follows the first."""
    with counting_vendor() as vendor:
        first = vendor.table("first", order=1, timeout_seconds=seconds)
        second = vendor.table("second", order=2, timeout_seconds=seconds)
        with settled(folder, "", 1, **PATIENT, **vendor.environ(first, second)) as site:
            yield site, vendor, site.start(*arguments)


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.long)])
def test_what_a_vendor_has_is_noted_before_the_end(tmp_path: Path, workers: str) -> None:
    with running_site(tmp_path, "--workers", workers) as (site, vendor, node):
        vendor.moods = {"first": Mood.HOLDS}
        asked, late = PHONES[:3], PHONES[3]
        put_codes(site, *asked)
        wait_until(lambda: vendor.holding["first"] == 3)
        begins_to_end(node)
        put_codes(site, late)
        assert node.process.poll() is None, "it waits for the vendor"
        vendor.moods = {}
        assert node.process.wait(GUARD) == 0
        assert [vendor.times(phone) for phone in (*asked, late)] == [1, 1, 1, 0]
        found = stored(site)
        assert {found[phone].state for phone in asked} == {MessageState.SENT}
        assert {found[phone].receipt for phone in asked} == {f"r-{found[phone].message_id}" for phone in asked}
        assert found[late].state is MessageState.WAITING
        site.start()
        wait_until(lambda: stored(site)[late].state is MessageState.SENT)
        assert vendor.most == 1


def test_no_other_sender_is_asked_after_the_signal(tmp_path: Path) -> None:
    """What the first sender refuses meanwhile waits for the next process: it is not lost, and not tried here."""
    with running_site(tmp_path) as (site, vendor, node):
        vendor.moods = {"first": Mood.HOLDS}
        put_codes(site, *PHONES)
        wait_until(lambda: vendor.holding["first"] == 8)
        begins_to_end(node)
        vendor.moods = {"first": Mood.REFUSES}
        assert node.process.wait(GUARD) == 0
        assert vendor.by_sender == {"first": 8}
        states = [one.state for one in stored(site).values()]
        assert (states.count(MessageState.FAILED), states.count(MessageState.WAITING)) == (8, 12)
        assert charged(site) == {"first": 0}
        vendor.moods = {}
        site.start()
        wait_until(lambda: {one.state for one in stored(site).values()} == {MessageState.SENT})
        assert charged(site) == {"first": 12, "second": 8}
        assert vendor.most == 2
        assert vendor.by_sender == {"first": 20, "second": 8}


def test_a_vendor_that_never_answers_does_not_keep_the_process(tmp_path: Path) -> None:
    with running_site(tmp_path, seconds=0.5) as (site, vendor, node):
        vendor.moods = {"first": Mood.HOLDS}
        put_codes(site, PHONES[0])
        wait_until(lambda: vendor.holding["first"] == 1)
        assert node.stop() == 0
        assert (vendor.times(PHONES[0]), stored(site)[PHONES[0]].state) == (1, MessageState.UNKNOWN)


def begins_to_end(node: Server) -> None:
    """Send SIGTERM, and wait until no more is begun."""
    node.process.send_signal(signal.SIGTERM)
    # Each process that has a message says so. One without ends.
    wait_until(lambda: node.log.read_text("utf-8").count("delivery.finishing") >= max(1, len(children(node))))
