"""SG-8: one machine's clock alone ends nothing. A node that is a year ahead sweeps no row and ends no session."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from menshen.core.delivery.messages import Channel, MessageState, Try
from menshen.core.delivery.verdicts import Verdict
from menshen.core.time import DAY, HOUR, MINUTE, SECOND, after
from menshen.core.tokens import digest
from menshen.flows.background.clock import confirm_clock
from menshen.flows.background.hash_costs import HashWatch
from menshen.flows.upkeep.sweep import sweep
from menshen.ports.delivery import Accepted, DeliveryFailed, Handover
from tests.harness import Clock, Harness, open_harness
from tests.wire.careyshop.shop import Shop
from tests.wire.weidu.client import Client

pytestmark = pytest.mark.attack("SG-8")

PASSWORD, PHONE = "Quiet-Otter-17", "13800138001"
YEAR = 365 * DAY


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest) -> dict[str, str]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    return {"MENSHEN_STORAGE__URL": url} if url else {}


@asynccontextmanager
async def two_nodes(folder: Path, where: dict[str, str]) -> AsyncIterator[tuple[Harness, Harness]]:
    """Two that share a database, and the time of the database; the second shows its own."""
    async with open_harness(folder, where) as here, open_harness(folder, where, clock=Clock()) as there:
        if where:
            there.assembled.clocks.hear = lambda _: here.clock.now()
        yield here, there


async def swept(node: Harness) -> int:
    clocks = node.assembled.clocks
    return await sweep(store=node.store, world=node.clock, audit_days=180, clocks=clocks)


def pass_time(span: int, *nodes: Harness) -> None:
    for node in nodes:
        node.clock.advance(span)


async def log_in(node: Harness) -> dict[str, str]:
    answer = await Shop(node).done("login.user.user", username="alice17", password=PASSWORD, platform="web")
    token: dict[str, str] = answer["token"]
    return token


async def test_a_node_a_year_ahead_for_two_seconds_leaves_everything(tmp_path: Path, where: dict[str, str]) -> None:
    async with two_nodes(tmp_path, where) as (here, there):
        await here.add_account("alice17", PHONE, password=PASSWORD)
        pair = await log_in(here)
        await Client(here).code(PHONE)
        pass_time(MINUTE, there)
        events = await here.store.read.audit.list_events()

        doubts = there.assembled.clocks.doubts
        there.clock.leap(YEAR)
        # Where the database tells the time, the node goes by that. On SQLite it can only refuse.
        assert (await there.flows.sessions.check(pair["token"]) is not None) == bool(where)
        assert await swept(there) == 0
        assert there.assembled.clocks.doubted
        pass_time(2 * SECOND, here, there)
        assert await swept(there) == 0
        there.clock.leap(-YEAR)

        assert await swept(there) == 0
        assert there.assembled.clocks.lead == 0
        assert there.assembled.clocks.doubts == doubts + 1
        assert await here.store.read.audit.list_events() == events
        for node in (here, there):
            assert await node.flows.sessions.check(pair["token"])
        # What is over for everybody goes as ever.
        pass_time(DAY, here, there)
        assert await swept(there) > 0
        assert await here.flows.sessions.check(pair["token"])


async def test_a_server_that_starts_with_a_wrong_clock_sweeps_nothing(tmp_path: Path, where: dict[str, str]) -> None:
    async with open_harness(tmp_path, where) as first:
        await first.add_account("alice17", PHONE, password=PASSWORD)
        await log_in(first)
        now = first.clock.at
    wrong = Clock(now)
    wrong.leap(YEAR)
    async with open_harness(tmp_path, where, clock=wrong) as again:
        # Also where the database's clock has leapt: it runs on the same machine.
        clocks = again.assembled.clocks
        assert clocks.doubted
        for _ in range(10):
            pass_time(MINUTE, again)
            assert await swept(again) == 0
        assert len(await again.store.read.sessions.list_of(1)) == 1
        mark, _ = await again.store.write(lambda tx: tx.upkeep.clock())
        assert mark <= now + 110 * MINUTE, "it grows by bounded steps"
        # An operator says that it is right.
        await confirm_clock(store=again.store, world=again.clock)
        assert await swept(again) > 0
        assert not clocks.doubted


async def test_it_is_seen_between_two_looks(tmp_path: Path, where: dict[str, str]) -> None:
    async with open_harness(tmp_path, where) as node:
        assert (await node.client.get("/readyz")).content == b"ready\n"
        node.clock.leap(HOUR)
        ready = await node.client.get("/readyz")
        assert (ready.status_code, ready.content) == (
            200, b"ready\nthe clock is 3600 s from what is certain: nothing is swept\n",
        )  # fmt: skip
        node.clock.leap(-HOUR)
        assert (await node.client.get("/readyz")).content == b"ready\n"


async def test_a_retry_at_a_node_that_is_ahead_is_no_theft(tmp_path: Path, postgres_url: str) -> None:
    """By that node's clock the refresh token was spent long before. The session must not end for that."""
    async with two_nodes(tmp_path, {"MENSHEN_STORAGE__URL": postgres_url}) as (here, there):
        await here.add_account("alice17", PHONE, password=PASSWORD)
        for lead in (MINUTE, YEAR):
            pair = await log_in(here)
            renewed = await Shop(here).done("refresh.user.token", **{k: pair[k] for k in ("token", "refresh")})
            there.clock.leap(lead)
            await there.assembled.clocks.look()
            again = await Shop(there).call("refresh.user.token", token=pair["token"], refresh=pair["refresh"])
            # The nodes share an instant, and by that one it is a client that lost its answer.
            assert again["data"] == renewed
            there.clock.leap(-lead)
            assert await here.flows.sessions.check(renewed["token"]["token"])


async def test_a_thief_is_still_noticed(tmp_path: Path, where: dict[str, str]) -> None:
    async with two_nodes(tmp_path, where) as (here, there):
        await here.add_account("alice17", PHONE, password=PASSWORD)
        pair = await log_in(here)
        renewed = await Shop(here).done("refresh.user.token", token=pair["token"], refresh=pair["refresh"])
        pass_time(31 * SECOND, here, there)
        await Shop(there).call("refresh.user.token", token=pair["token"], refresh=pair["refresh"])
        assert await here.store.inner.read.sessions.check(digest(renewed["token"]["token"])) is None


async def test_a_refresh_by_a_clock_that_is_behind_shortens_nothing(tmp_path: Path, where: dict[str, str]) -> None:
    async with open_harness(tmp_path, where) as node:
        await node.add_account("alice17", PHONE, password=PASSWORD)
        pair = await log_in(node)
        (before,) = await node.store.read.sessions.list_of(1)
        node.clock.leap(-YEAR)
        renewed = await Shop(node).done("refresh.user.token", token=pair["token"], refresh=pair["refresh"])
        node.clock.leap(YEAR)
        (session,) = await node.store.read.sessions.list_of(1)
        assert session.expires_at >= before.expires_at
        assert session.refresh_expires_at >= before.refresh_expires_at
        assert await node.flows.sessions.check(renewed["token"]["token"])


async def test_a_use_by_a_clock_that_is_ahead_hides_no_later_one(tmp_path: Path, where: dict[str, str]) -> None:
    async with open_harness(tmp_path, where) as node:
        await node.add_account("alice17", PHONE, password=PASSWORD)
        client = Client(node)
        assert (await client.log_in("alice17", PASSWORD)).status_code == 200
        node.clock.leap(20 * DAY)
        assert await node.flows.sessions.check(client.token)
        await node.assembled.ports.touches.flush()
        node.clock.leap(-20 * DAY)
        pass_time(HOUR, node)
        assert await node.flows.sessions.check(client.token)
        await node.assembled.ports.touches.flush()
        (session,) = await node.store.read.sessions.list_of(1)
        assert session.seen_at == node.clock.now()


async def test_a_use_counts_at_once_after_a_time_in_which_nothing_ran(tmp_path: Path) -> None:
    """Else a server that is off at night would log out everybody who comes in the morning alone."""
    async with open_harness(tmp_path) as node:
        await node.add_account("alice17", PHONE, password=PASSWORD)
        client = Client(node)
        assert (await client.log_in("alice17", PASSWORD)).status_code == 200
        now = node.clock.at
    morning = Clock(now)
    morning.leap(12 * HOUR)
    async with open_harness(tmp_path, clock=morning) as again:
        assert again.assembled.clocks.doubted
        assert await again.flows.sessions.check(client.token)
        await again.assembled.ports.touches.flush()
        (session,) = await again.store.read.sessions.list_of(1)
        assert session.seen_at == morning.now()


async def test_heads_of_hashes_are_not_forgotten_by_a_clock_that_is_ahead(
    tmp_path: Path, where: dict[str, str]
) -> None:
    """No account has a hash of that head yet, but another process makes such hashes now."""
    async with open_harness(tmp_path, where) as node:
        await node.store.write(lambda tx: tx.hash_heads.note(["$2b$12$"], node.clock.now()))
        watch = HashWatch(
            store=node.store, hasher=node.assembled.hasher, world=node.clock, clocks=node.assembled.clocks
        )
        node.clock.leap(YEAR)
        await watch.walk()
        assert "$2b$12$" in await node.store.read.hash_heads.list_all()
        node.clock.leap(-YEAR)
        pass_time(DAY, node)
        await watch.walk()
        assert "$2b$12$" not in await node.store.read.hash_heads.list_all()


class Refusing:
    """A sender that certainly sends nothing, and counts."""

    def __init__(self) -> None:
        self.tries = 0

    async def send(self, _handover: Handover) -> Accepted:
        self.tries += 1
        raise DeliveryFailed("451")


async def deliver(node: Harness, sender: Any) -> int:
    return await node.deliver(sender, clocks=node.assembled.clocks)


async def test_a_message_is_not_put_off_for_a_year(tmp_path: Path, where: dict[str, str]) -> None:
    async with open_harness(tmp_path, where) as node:
        await node.add_account("alice17", PHONE, password=PASSWORD)
        await Client(node).code(PHONE)
        (waiting,) = await node.store.read.outbox.due(Channel.SMS, node.clock.now())
        tried = Try(waiting.message_id, "test", node.clock.now())
        assert await node.store.write(lambda tx: tx.outbox.claim(tried))
        ahead = after(node.clock.now(), YEAR)
        assert await node.store.write(lambda tx: tx.outbox.mark_failed(tried, Verdict.NOT_REACHED, ahead))
        sender = Refusing()
        pass_time(MINUTE, node)
        assert await deliver(node, sender) == 1
        assert sender.tries == 1


async def test_a_code_that_a_leap_makes_old_is_dropped_unless_the_database_knows_better(
    tmp_path: Path, where: dict[str, str]
) -> None:
    async with open_harness(tmp_path, where) as node:
        await node.add_account("alice17", PHONE, password=PASSWORD)
        await Client(node).code(PHONE)
        sender = Refusing()
        node.clock.leap(YEAR)
        assert await deliver(node, sender) == 1
        (stored,) = await node.store.read.outbox.list_all()
        # PostgreSQL says what time it is. The clock of SQLite's machine is the only one there is.
        assert stored.state is (MessageState.FAILED if where else MessageState.EXPIRED)
        assert sender.tries == int(bool(where))


async def test_what_one_node_sends_is_not_taken_by_one_that_is_ahead(tmp_path: Path, postgres_url: str) -> None:
    async with two_nodes(tmp_path, {"MENSHEN_STORAGE__URL": postgres_url}) as (here, there):
        await here.add_account("alice17", PHONE, password=PASSWORD)
        await Client(here).code(PHONE)
        (waiting,) = await here.store.read.outbox.due(Channel.SMS, here.clock.now())
        pass_time(MINUTE, there)
        tried = Try(waiting.message_id, "test", here.clock.now())
        claimed = await here.store.write(lambda tx: tx.outbox.claim(tried))
        assert claimed
        there.clock.leap(YEAR)
        await there.assembled.clocks.look()
        assert await deliver(there, Refusing()) == 0
