"""How what is remembered is confirmed: by one question while nobody writes, by the rows themselves otherwise."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from menshen.adapters.storage.cached_checks import (
    BELIEVED_SECONDS,
    KEPT_SECONDS,
    MOST_AT_ONCE,
    CheckCache,
)
from menshen.adapters.storage.sql.news.file_watch import FileWatch
from menshen.adapters.storage.sql.news.snapshot_watch import SnapshotWatch
from menshen.app.world import seconds_since_boot
from menshen.core.sessions.outcomes import Bearer
from menshen.core.time import Instant
from menshen.core.tokens import digest
from menshen.ports.store.sessions import CheckedToken
from tests.harness import Harness, open_harness
from tests.nodes.endings import ByHand, Ending, endings_of
from tests.nodes.test_cached_checks import Hand, found, remember
from tests.wire.careyshop.shop import Shop

PASSWORD = "Quiet-Otter-17"
Live = Mapping[bytes, CheckedToken]


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def cache(hand: Hand) -> CheckCache:
    made = CheckCache(hand)
    made.confirm_all(hand.at)
    return made


class Database:
    """Answers with what is live, and writes down what it was asked."""

    def __init__(self, *sessions: CheckedToken, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.live = {session.session_id.encode(): session for session in sessions}
        self.asked: list[Sequence[bytes]] = []
        self._meanwhile = meanwhile

    async def __call__(self, tokens: Sequence[bytes]) -> Live:
        self.asked.append(tokens)
        answer = {token: self.live[token] for token in tokens if token in self.live}
        self._meanwhile()
        return answer


async def test_what_is_live_goes_on_and_what_is_not_is_dropped(cache: CheckCache, hand: Hand) -> None:
    for name in ("one", "two"):
        remember(cache, name.encode(), found(name))
    hand.at += 0.3
    renewed = CheckedToken("one", Bearer("id", 1, "another role"), Instant(9), Instant(9), Instant(0), 0)
    version = cache.version
    assert await cache.confirm_used(hand.at, Database(renewed)) == [pytest.approx(0.3)]
    hand.at += 0.3
    assert (cache.get(b"one"), cache.get(b"two")) == (renewed, None)
    assert cache.version > version, "no read that began before brings it back"


async def test_what_nobody_uses_is_not_asked_about(cache: CheckCache, hand: Hand) -> None:
    for name in ("used", "unused"):
        remember(cache, name.encode(), found(name))
    hand.at += KEPT_SECONDS
    cache.confirm_all(hand.at)
    assert cache.get(b"used")
    hand.at += 0.1
    database = Database(found("used"), found("unused"))
    assert await cache.confirm_used(hand.at, database) == []
    assert database.asked == [[b"used"]]
    assert (cache.get(b"used"), cache.get(b"unused")) == (found("used"), None)


async def test_a_question_is_about_so_many_at_once(cache: CheckCache, hand: Hand) -> None:
    for number in range(2 * MOST_AT_ONCE + 1):
        remember(cache, b"%d" % number, found(str(number)))
    database = Database(*(found(str(number)) for number in range(2 * MOST_AT_ONCE + 1)))
    assert await cache.confirm_used(hand.at, database) == []
    assert [len(tokens) for tokens in database.asked] == [MOST_AT_ONCE, MOST_AT_ONCE, 1]


async def test_what_was_dropped_during_the_question_stays_so(cache: CheckCache, hand: Hand) -> None:
    remember(cache, b"one", found("one"))
    await cache.confirm_used(hand.at, Database(found("one"), meanwhile=lambda: cache.drop_session("one")))
    assert cache.get(b"one") is None


async def test_a_read_from_before_a_change_is_confirmed_by_no_later_quiet(cache: CheckCache, hand: Hand) -> None:
    """Its row may have been read before the change, and so it is believed only as long as its own confirmation."""
    began = cache.version, cache.confirmation
    hand.at += 0.1
    await cache.confirm_used(hand.at, Database())
    cache.put(b"late", found("late"), *began)
    assert cache.get(b"late")
    hand.at += BELIEVED_SECONDS - 0.05
    cache.confirm_all(hand.at)
    assert cache.get(b"late") is None
    # Until it is asked about itself.
    await cache.confirm_used(hand.at, Database(found("late")))
    assert cache.get(b"late")


async def test_a_question_that_fails_confirms_nothing(cache: CheckCache, hand: Hand) -> None:
    async def fail(_: Sequence[bytes]) -> Live:
        raise TimeoutError

    remember(cache, b"one", found("one"))
    hand.at += 0.1
    with pytest.raises(TimeoutError):
        await cache.confirm_used(hand.at, fail)
    hand.at += BELIEVED_SECONDS - 0.05
    assert cache.get(b"one") is None


async def test_a_slow_answer_is_as_old_as_its_question(cache: CheckCache, hand: Hand) -> None:
    def sleep() -> None:
        hand.at += BELIEVED_SECONDS + 0.01

    remember(cache, b"one", found("one"))
    await cache.confirm_used(hand.at, Database(found("one"), meanwhile=sleep))
    assert cache.get(b"one") is None


async def test_a_token_of_another_session_is_another(cache: CheckCache, hand: Hand) -> None:
    remember(cache, b"one", found("one"))
    database = Database()
    database.live[b"one"] = found("renamed")
    await cache.confirm_used(hand.at, database)
    assert cache.get(b"one") is None
    assert cache._by_session == {}


# --- the clock --------------------------------------------------------------------------------------------------------


@pytest.mark.attack("RACE-13")
async def test_ages_grow_while_the_machine_sleeps(harness: Harness) -> None:
    """The machine slept: its clock of ages went on, and what was remembered before is not believed."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        assert (seconds_since_boot.func, seconds_since_boot.args) == (time.clock_gettime, (time.CLOCK_BOOTTIME,))
    assert harness.store.cache.clock is seconds_since_boot
    assert harness.store.apps._clock is seconds_since_boot


# --- on the databases -------------------------------------------------------------------------------------------------


class Watched:
    """A harness whose watch looks only when it is told to, and whose clock of ages a test moves."""

    def __init__(self, harness: Harness, hand: Hand, connection: Any) -> None:
        self.harness = harness
        self.hand = hand
        self.connection = connection
        self.watch: Any = harness.store._on_close.__self__
        assert isinstance(self.watch, FileWatch | SnapshotWatch)

    @property
    def cache(self) -> CheckCache:
        found: CheckCache = self.harness.store.cache
        return found

    async def look(self) -> None:
        await self.watch.look(*([] if self.connection is None else [self.connection]))

    async def remember(self, token: str) -> Bearer:
        """Check until it is remembered, and return whose it is."""
        await self.look()
        assert await self.harness.flows.sessions.check(token)
        bearer = self.harness.flows.sessions.recall(token)
        assert bearer is not None
        return bearer


@asynccontextmanager
async def watched(folder: Path, url: str, hand: Hand) -> AsyncIterator[tuple[Watched, str]]:
    """It, and a token."""
    async with open_harness(folder, {"MENSHEN_STORAGE__URL": url} if url else {}) as harness:
        for name in ("alice17", "bob17"):
            await harness.add_account(name, password=PASSWORD)
        await harness.store._on_close()
        harness.store.cache.clock = hand
        connection = await asyncpg.connect(url) if url else None
        told = await Shop(harness).done("login.user.user", username="alice17", password=PASSWORD, platform="web")
        try:
            yield Watched(harness, hand, connection), told["token"]["token"]
        finally:
            if connection is not None:
                connection.terminate()


@pytest.mark.attack("RACE-13")
@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
async def test_one_look_after_the_commit_is_enough(tmp_path: Path, postgres_url: str, store: str, hand: Hand) -> None:
    """Every statement, in a transaction that is open for some looks; and without any look, no entry is believed."""
    url = postgres_url if store == "postgresql" else ""
    async with watched(tmp_path, url, hand) as (node, token), ByHand(url or tmp_path / "menshen.db") as client:
        for ending in endings_of(store):
            await end(node, client, ending, token)


async def end(node: Watched, client: ByHand, ending: Ending, token: str) -> None:
    recall = node.harness.flows.sessions.recall
    first = await node.remember(token)
    await client.begin()
    await client.run(*ending.statements)
    assert recall(token) == first, ending
    if not locks(ending, client):
        for _ in range(3):
            await node.look()
            assert recall(token) == first, ending
    await client.commit()
    # As old as may be, and not a moment older.
    node.hand.at = node.cache.confirmation.at + BELIEVED_SECONDS
    assert recall(token) == first, ending
    node.hand.at += 0.001
    assert recall(token) is None, ending
    await node.look()
    assert recall(token) != first, ending
    await client.put_back(ending)


def locks(ending: Ending, client: ByHand) -> bool:
    """Say whether a look has to wait for the transaction: every one on SQLite, those that lock a table elsewhere."""
    return client.is_file or any(word in text for text in ending.statements for word in ("TRUNCATE", "ALTER"))


class Counting:
    """A connection that counts what it is asked."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.snapshots = self.rows = 0

    async def fetchval(self, *args: Any, **kwargs: Any) -> Any:
        self.snapshots += 1
        return await self._inner.fetchval(*args, **kwargs)

    async def fetch(self, *args: Any, **kwargs: Any) -> Any:
        self.rows += 1
        return await self._inner.fetch(*args, **kwargs)


async def test_a_quiet_database_is_asked_one_small_question(tmp_path: Path, postgres_url: str, hand: Hand) -> None:
    async with watched(tmp_path, postgres_url, hand) as (node, token):
        node.connection = counting = Counting(node.connection)
        await node.remember(token)
        await node.look()
        counting.snapshots = counting.rows = 0
        for _ in range(5):
            node.hand.at += 0.3
            await node.look()
            assert node.harness.flows.sessions.recall(token)
            # Reads change nothing.
            assert await node.harness.store.read.sessions.find(digest(token))
        assert (counting.snapshots, counting.rows) == (5, 0)
        await node.harness.add_account("carol17", password=PASSWORD)
        for _ in range(3):
            node.hand.at += 0.3
            await node.look()
            assert node.harness.flows.sessions.recall(token)
        # Somebody wrote once: the rows were read once.
        assert (counting.snapshots, counting.rows) == (8, 1)


async def test_another_connection_may_lead_to_another_database(tmp_path: Path, postgres_url: str, hand: Hand) -> None:
    """What a snapshot was alike to on the connection before says nothing on this one."""
    async with watched(tmp_path, postgres_url, hand) as (node, token):
        await node.remember(token)
        node.watch._snapshot = None
        node.connection = counting = Counting(node.connection)
        await node.look()
        assert (counting.snapshots, counting.rows) == (1, 1)


async def test_news_that_earlier_programs_read_are_swept(tmp_path: Path, postgres_url: str, hand: Hand) -> None:
    async with watched(tmp_path, postgres_url, hand) as (node, _):
        insert = "INSERT INTO revocations (xid, at) SELECT 1, extract(epoch FROM clock_timestamp()) * 1000 - $1::int"
        for age in (50_000, 61_000):
            await node.connection.execute(insert, age)
        node.hand.at = node.watch._swept + 11
        await node.watch._sweep(node.connection)
        assert await node.connection.fetchval("SELECT count(*) FROM revocations WHERE xid = 1") == 1
