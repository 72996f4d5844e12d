"""kill -9 of a worker between each two steps of a handover: nothing is sent twice, and nothing waits for ever."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from menshen.core.delivery.messages import NO_NEXT_TRY, MessageState
from menshen.core.time import DAY
from tests.faults.deliveries.counting_vendor import CountingVendor, Mood, counting_vendor
from tests.faults.deliveries.outboxes import LATER, Ahead, change, charged, post_of, put_codes, stored
from tests.faults.deliveries.stopping_courier import Step
from tests.faults.site import Site, settled
from tests.faults.waiting import wait_until
from tests.patience import PATIENT

ROOT = Path(__file__).parents[3]
SENT, UNKNOWN = MessageState.SENT, MessageState.UNKNOWN
STORES = pytest.mark.parametrize("store", ["sqlite", "postgresql"])

PLAIN = {name: f"+861380013800{place}" for place, name in enumerate(("claimed", "asked", "answered", "noted"))}
HOOK = {name: f"+85261234{place}67" for place, name in enumerate(("claimed", "asked", "answered", "noted"))}


@contextmanager
def site_with_vendor(folder: Path, url: str, **more: str) -> Iterator[tuple[Site, CountingVendor]]:
    """A site whose mainland numbers have a plain vendor, and the others a receiver that drops what it has."""
    with counting_vendor() as vendor:
        plain = vendor.table("plain", countries=["+86"], timeout_seconds=30)
        hook = vendor.hook("hook", countries=["+852"], timeout_seconds=30)
        with settled(folder, url, 1, **PATIENT, **vendor.environ(plain, hook), **more) as site:
            yield site, vendor


@contextmanager
def stopping_worker(site: Site, plan: Mapping[int, Step]) -> Iterator[subprocess.Popen[str]]:
    """A worker that stops by a plan. It is dead after the block."""
    told = json.dumps({str(number): step.value for number, step in plan.items()})
    worker = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.deliveries.stopping_courier", str(site.data), told],
        cwd=ROOT, env=site.start_environ, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        with worker:
            yield worker
            worker.kill()
    finally:
        worker.kill()


def wait_for_stops(worker: subprocess.Popen[str], plan: Mapping[int, Step]) -> None:
    """Wait until each message has stopped where it should."""
    assert worker.stdout
    awaited = {f"{step.value} {number}" for number, step in plan.items()}
    while awaited:
        line = worker.stdout.readline().strip()
        assert line in awaited, f"the worker said {line!r}, and not {awaited}"
        awaited.remove(line)


def go_on(site: Site) -> None:
    """Let another worker find what the dead one left: at once, and when it must be dead."""

    async def deliver() -> None:
        for ahead in (0, LATER, 2 * LATER - 1000):
            async with post_of(site, Ahead(ahead)) as post:
                await post.deliver_due()

    asyncio.run(deliver())


@STORES
def test_between_two_steps(tmp_path: Path, postgres_url: str, store: str) -> None:
    with site_with_vendor(tmp_path, postgres_url if store == "postgresql" else "") as (site, vendor):
        vendor.moods = {PLAIN["asked"]: Mood.HOLDS, HOOK["asked"]: Mood.HOLDS}
        numbers = dict(
            zip([*PLAIN.values(), *HOOK.values()], put_codes(site, *PLAIN.values(), *HOOK.values()), strict=True)
        )
        plan = {
            numbers[group[step]]: Step(step) for group in (PLAIN, HOOK) for step in ("claimed", "answered", "noted")
        }
        with stopping_worker(site, plan) as worker:
            wait_for_stops(worker, plan)
            wait_until(lambda: vendor.times(PLAIN["asked"]) and vendor.times(HOOK["asked"]))
            found = stored(site)
            states = {name: found[receiver].state for name, receiver in PLAIN.items()}
            sending = MessageState.SENDING
            assert states == {"claimed": sending, "asked": sending, "answered": sending, "noted": SENT}
        vendor.moods = {}
        go_on(site)
        found = stored(site)
        assert {name: (vendor.times(to), found[to].state) for name, to in PLAIN.items()} == {
            "claimed": (0, UNKNOWN),
            "asked": (1, UNKNOWN),
            "answered": (1, UNKNOWN),
            "noted": (1, SENT),
        }
        # Its receiver drops what it has: the same id comes again, until it was certainly taken.
        assert {name: (vendor.times(to), found[to].state) for name, to in HOOK.items()} == {
            "claimed": (1, SENT),
            "asked": (2, SENT),
            "answered": (2, SENT),
            "noted": (1, SENT),
        }
        assert all(len(set(vendor.asked[to])) == 1 for to in HOOK.values())
        # A try is charged with its claim. What is repeated gets the charge of its first try back.
        assert charged(site) == {"plain": 4, "hook": 4}


@STORES
@pytest.mark.parametrize(
    ("step", "receiver", "after"),
    [
        # It was not claimed: another worker sends it.
        (Step.CLAIMING, PLAIN["claimed"], (1, SENT, 1)),
        (Step.NOTING, PLAIN["noted"], (1, UNKNOWN, 1)),
        (Step.NOTING, HOOK["noted"], (2, SENT, 1)),
    ],
)
def test_within_a_transaction(
    tmp_path: Path, postgres_url: str, store: str, step: Step, receiver: str, after: tuple[int, MessageState, int]
) -> None:
    with site_with_vendor(tmp_path, postgres_url if store == "postgresql" else "") as (site, vendor):
        plan = dict.fromkeys(put_codes(site, receiver), step)
        with stopping_worker(site, plan) as worker:
            wait_for_stops(worker, plan)
        assert vendor.times(receiver) == (step is Step.NOTING)
        go_on(site)
        (tries,) = charged(site).values()
        assert (vendor.times(receiver), stored(site)[receiver].state, tries) == after
        assert len(set(vendor.asked[receiver])) == 1


@pytest.mark.parametrize("store", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def test_a_server_that_is_killed_while_the_vendor_thinks(tmp_path: Path, postgres_url: str, store: str) -> None:
    with site_with_vendor(tmp_path, postgres_url if store == "postgresql" else "") as (site, vendor):
        vendor.moods = {"plain": Mood.HOLDS, "hook": Mood.HOLDS}
        receivers = [PLAIN["asked"], HOOK["asked"]]
        put_codes(site, *receivers)
        node = site.start()
        wait_until(lambda: all(map(vendor.times, receivers)))
        node.kill()
        vendor.moods = {}
        change(site, "UPDATE outbox SET tried_at = tried_at - 50000")
        again = site.start()
        plain, hook = receivers
        wait_until(lambda: {one.state for one in stored(site).values()} == {UNKNOWN, SENT})
        assert (vendor.times(plain), stored(site)[plain].state) == (1, UNKNOWN)
        assert (vendor.times(hook), stored(site)[hook].state) == (2, SENT)
        assert len(set(vendor.asked[hook])) == 1
        said = again.menshen("outbox", "--json")
        assert [row["state"] for row in json.loads(said)] == ["unknown", "sent"]
        assert again.stop() == 0


@STORES
async def test_a_worker_whose_clock_was_ahead_leaves_nothing_under_way(
    tmp_path: Path, postgres_url: str, store: str
) -> None:
    """It died while it sent, and its tries bear times that come tomorrow. One of now is left to its worker."""
    with site_with_vendor(tmp_path, postgres_url if store == "postgresql" else "") as (site, vendor):
        plain, hook, young = PLAIN["asked"], HOOK["asked"], PLAIN["noted"]
        put_codes(site, plain, hook, young)
        now = Ahead(0).now()
        for number, sender, at in ((1, "plain", now + DAY), (2, "hook", now + DAY), (3, "plain", now)):
            sending = f"next_try_at = {NO_NEXT_TRY[MessageState.SENDING]}, sender = '{sender}', tried_at = {at}"
            change(site, f"UPDATE outbox SET {sending} WHERE message_id = {number}")
        async with post_of(site) as post:
            await post.deliver_due()
        found = stored(site)
        assert [found[to].state for to in (plain, hook, young)] == [UNKNOWN, SENT, MessageState.SENDING]
        assert vendor.by_sender == {"hook": 1}
