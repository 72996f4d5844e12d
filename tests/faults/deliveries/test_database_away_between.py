"""The database goes away during a claim, and between claim and verdict: nothing is sent a second time."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from menshen.app.settings.reader import Settings, load_settings
from menshen.app.world import SystemWorld
from menshen.core.delivery.messages import Channel, MessageState, Try
from menshen.core.problems import Problem, ProblemCode
from menshen.flows.delivery.courier import Courier, keep_delivering
from menshen.flows.delivery.hand_over import WRITES
from menshen.ports.store.store import Store, WriteTx
from tests.faults.deliveries.counting_vendor import CountingVendor, Mood, counting_vendor
from tests.faults.deliveries.outboxes import LATER, Ahead, Post, post_of, put_codes, stored
from tests.faults.site import Site, settled
from tests.faults.waiting import until
from tests.patience import PATIENT
from tests.postgres import PostgresServer

T = TypeVar("T")
PLAIN, HOOK = "+8613800138000", "+85261234567"
SENT, UNKNOWN, SENDING = MessageState.SENT, MessageState.UNKNOWN, MessageState.SENDING


@pytest.fixture
def database() -> Iterator[PostgresServer]:
    with PostgresServer(durable=True) as server:
        yield server


@contextmanager
def site_with_vendor(folder: Path, url: str) -> Iterator[tuple[Site, CountingVendor]]:
    with counting_vendor() as vendor:
        plain = vendor.table("plain", countries=["+86"], timeout_seconds=30)
        hook = vendor.hook("hook", countries=["+852"], timeout_seconds=30)
        with settled(folder, url, 1, **PATIENT, **vendor.environ(plain, hook)) as site:
            yield site, vendor


class Patient(SystemWorld):
    """This machine, whose pauses are counted, and may be none."""

    def __init__(self, *, at_once: bool = False) -> None:
        self.pauses = 0
        self._at_once = at_once

    async def pause(self, ms: float) -> None:
        self.pauses += 1
        await super().pause(0 if self._at_once else ms)


def impatient(site: Site) -> Settings:
    """The settings of a server that soon gives up waiting for its database."""
    soon = {f"MENSHEN_PATIENCE__{name}": "0.3" for name in ("ACQUIRE", "CONNECT", "BUSY", "LOCK")}
    return load_settings(None, site.environ | soon, site.data)


async def begin(post: Post, vendor: CountingVendor) -> Courier:
    """Start what is due, and wait until the vendor has it."""
    vendor.moods = {"plain": Mood.HOLDS, "hook": Mood.HOLDS}
    courier = post.of(Channel.SMS)
    begun = await courier.start_due()
    await until(lambda: vendor.holding.total() == begun)
    return courier


async def look_later(site: Site) -> None:
    for ahead in (0, LATER):
        async with post_of(site, Ahead(ahead)) as post:
            await post.deliver_due()


async def test_the_verdict_is_written_when_the_database_is_back(tmp_path: Path, database: PostgresServer) -> None:
    world = Patient()
    with site_with_vendor(tmp_path, database.create()) as (site, vendor):
        put_codes(site, PLAIN, HOOK)
        async with post_of(site, world, settings=impatient(site)) as post:
            courier = await begin(post, vendor)
            database.crash()
            vendor.moods = {}
            await until(lambda: world.pauses >= 2)
            database.start()
            await courier.finish()
            assert 2 <= world.pauses <= 2 * (WRITES - 1)
        assert [one.state for one in stored(site).values()] == [SENT, SENT]
        await look_later(site)
        assert vendor.most == 1


async def test_a_verdict_that_could_not_be_written_is_unknown(tmp_path: Path, database: PostgresServer) -> None:
    with site_with_vendor(tmp_path, database.create()) as (site, vendor):
        put_codes(site, PLAIN, HOOK)
        async with post_of(site, Patient(at_once=True), settings=impatient(site)) as post:
            courier = await begin(post, vendor)
            database.crash()
            vendor.moods = {}
            await courier.finish()
            database.start()
        assert [one.state for one in stored(site).values()] == [SENDING, SENDING]
        await look_later(site)
        found = stored(site)
        assert (vendor.times(PLAIN), found[PLAIN].state) == (1, UNKNOWN)
        assert (vendor.times(HOOK), found[HOOK].state, len(set(vendor.asked[HOOK]))) == (2, SENT, 1)


@pytest.mark.sqlite_file
async def test_another_process_holds_the_file(tmp_path: Path) -> None:
    world = Patient()
    with site_with_vendor(tmp_path, "") as (site, vendor):
        put_codes(site, PLAIN, HOOK)
        async with post_of(site, world, settings=impatient(site)) as post:
            courier = await begin(post, vendor)
            with closing(sqlite3.connect(site.data / "menshen.db", isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                vendor.moods = {}
                await until(lambda: world.pauses >= 2)
            await courier.finish()
        assert [one.state for one in stored(site).values()] == [SENT, SENT]
        await look_later(site)
        assert vendor.most == 1


# --- the claim --------------------------------------------------------------------------------------------------------


@dataclass
class Failing:
    """A store that fails around each claim, and counts them."""

    inner: Store
    before_commit: Callable[[], None] | None = None
    after_commit: bool = False
    claims: int = 0

    @property
    def read(self) -> Any:
        return self.inner.read

    async def write(self, work: Callable[[WriteTx], Awaitable[T]]) -> T:
        async def failing(tx: WriteTx) -> T:
            result = await work(tx)
            if isinstance(result, Try):
                self.claims += 1
                if self.before_commit:
                    self.before_commit()
            return result

        result = await self.inner.write(failing)
        if isinstance(result, Try) and self.after_commit:
            raise Problem(ProblemCode.UNAVAILABLE, "the answer of COMMIT was lost", 1)
        return result


def claim_through(courier: Courier, store: Failing) -> None:
    courier._hand_over._store = store  # type: ignore[assignment]


async def test_a_database_that_goes_during_the_claim(tmp_path: Path, database: PostgresServer) -> None:
    with site_with_vendor(tmp_path, database.create()) as (site, vendor):
        put_codes(site, PLAIN)
        async with post_of(site, settings=impatient(site)) as post:
            courier = post.of(Channel.SMS)
            claim_through(courier, Failing(post.store, before_commit=database.crash))
            assert await courier.start_due() == 1
            await courier.finish()
            assert vendor.by_sender == {}, "no call without a claim"
            database.start()
            assert stored(site)[PLAIN].state is MessageState.WAITING
            claim_through(courier, Failing(post.store))
            await courier.deliver_due()
        await look_later(site)
        assert (vendor.times(PLAIN), stored(site)[PLAIN].state) == (1, SENT)


async def test_a_claim_whose_answer_was_lost_is_not_sent_by_guess(tmp_path: Path) -> None:
    with site_with_vendor(tmp_path, "") as (site, vendor):
        put_codes(site, PLAIN, HOOK)
        async with post_of(site) as post:
            courier = post.of(Channel.SMS)
            claim_through(courier, Failing(post.store, after_commit=True))
            assert await courier.start_due() == 2
            await courier.finish()
        assert vendor.by_sender == {}
        await look_later(site)
        found = stored(site)
        assert (vendor.times(PLAIN), found[PLAIN].state) == (0, UNKNOWN)
        assert (vendor.times(HOOK), found[HOOK].state) == (1, SENT)


async def test_a_database_that_takes_no_claim_is_not_asked_without_a_pause(tmp_path: Path) -> None:
    def refuse() -> None:
        raise Problem(ProblemCode.UNAVAILABLE, "read-only", 1)

    with site_with_vendor(tmp_path, "") as (site, vendor):
        put_codes(site, PLAIN, HOOK)
        async with post_of(site) as post:
            courier, store = post.of(Channel.SMS), Failing(post.store, before_commit=refuse)
            claim_through(courier, store)
            task = asyncio.create_task(keep_delivering(courier, 3600, lambda _: None))
            await until(lambda: store.claims == 2 and not courier.under_way)
            for _ in range(200):
                await asyncio.sleep(0.001)
            assert store.claims == 2
            # Each further round tries each of them once.
            courier.wake()
            await until(lambda: store.claims == 4 and not courier.under_way)
            store.before_commit = None
            courier.wake()
            await until(lambda: len(vendor.arrived) == 2)
            task.cancel()
            await courier.finish()
        assert vendor.most == 1


async def test_what_waits_for_a_place_asks_nothing_meanwhile(tmp_path: Path) -> None:
    """The first sender is at its limit, and the second holds all it takes: the others wait for a place of that."""
    phones = [f"+86138001380{n:02}" for n in range(20)]
    with counting_vendor() as vendor:
        first = vendor.table("first", order=1, per_day=1, timeout_seconds=30)
        second = vendor.table("second", order=2, timeout_seconds=30)
        vendor.moods = {"second": Mood.HOLDS}
        with settled(tmp_path, "", 1, **PATIENT, **vendor.environ(first, second)) as site:
            put_codes(site, *phones)
            async with post_of(site) as post:
                courier, store = post.of(Channel.SMS), Failing(post.store)
                claim_through(courier, store)
                rounds = 0

                async def count_rounds() -> int:
                    nonlocal rounds
                    rounds += 1
                    return await start_due()

                start_due, courier.start_due = courier.start_due, count_rounds  # type: ignore[method-assign]
                task = asyncio.create_task(keep_delivering(courier, 3600, lambda _: None))
                await until(lambda: vendor.holding["second"] == 8)
                await asyncio.sleep(0.1)
                before = rounds
                await asyncio.sleep(0.3)
                assert rounds == before
                vendor.moods = {}
                await until(lambda: len(vendor.arrived) == 20)
                task.cancel()
                await courier.finish()
            assert vendor.most == 1
            assert vendor.by_sender == {"first": 1, "second": 19}
