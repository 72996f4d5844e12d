"""Token checks from memory: what is remembered, for how long, and what makes it forgotten."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path
from typing import Any

import pytest

from menshen.adapters.storage.cached_checks import (
    BELIEVED_SECONDS,
    MOST_ENTRIES,
    CheckCache,
)
from menshen.core.account.accounts import Status
from menshen.core.sessions.outcomes import Bearer
from menshen.core.time import DAY, MINUTE, Instant
from menshen.core.tokens import digest
from menshen.ports.store.accounts import Accounts
from menshen.ports.store.sessions import CheckedToken, Sessions
from menshen.ports.store.store import Upkeep
from tests.faults.waiting import until
from tests.harness import Harness, open_harness
from tests.wire.careyshop.shop import Shop

PASSWORD = "Quiet-Otter-17"
# `tests/adapters/storage/test_changes.py` proves that each of these tells what it ended.
REVOKING = {
    "sessions": {"open", "rotate", "end", "end_all", "end_by_token", "prove_twice"},
    "accounts": {"set_status", "close"},
    "upkeep": {"raise_epoch"},
}
HARMLESS = {
    "sessions": {"check", "find", "list_of", "find_spent_refresh", "holds", "touch", "prove", "hold", "retry"},
    # What it deletes was refused when the epoch was raised.
    "upkeep": {"sweep", "clear_epochs", "clock", "mark_clock", "set_clock"},
}


class Hand:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def found(session: str = "s1", account: int = 1) -> CheckedToken:
    return CheckedToken(session, Bearer("id", account, ""), Instant(2**50), Instant(2**50), Instant(0), 0)


@pytest.fixture
def hand() -> Hand:
    return Hand()


def remember(cache: CheckCache, token: bytes, what: CheckedToken) -> None:
    cache.put(token, what, cache.version, cache.confirmation)


@pytest.fixture
def cache(hand: Hand) -> CheckCache:
    made = CheckCache(hand)
    made.confirm_all(hand.at)
    remember(made, b"t1", found("s1", 1))
    remember(made, b"t2", found("s2", 2))
    assert made.get(b"t1")
    assert made.get(b"t2")
    return made


def test_it_is_believed_only_while_it_is_confirmed(cache: CheckCache, hand: Hand) -> None:
    hand.at += BELIEVED_SECONDS - 0.01
    assert cache.get(b"t1")
    hand.at += 0.02
    assert cache.get(b"t1") is None
    cache.confirm_all(hand.at)
    assert cache.get(b"t1")
    assert BELIEVED_SECONDS < 0.5


def test_what_the_database_knows_no_more_is_not_believed_again(cache: CheckCache, hand: Hand) -> None:
    """Nothing was confirmed, the database said no; then a confirmation comes that is older than that."""
    hand.at += BELIEVED_SECONDS + 0.01
    assert cache.get(b"t1") is None
    cache.drop_unknown(b"t1")
    cache.confirm_all(hand.at)
    assert (cache.get(b"t1"), cache.get(b"t2")) == (None, found("s2", 2))
    began = cache.version, cache.confirmation
    cache.drop_unknown(b"nobody's")
    cache.put(b"t3", found("s3", 3), *began)
    assert cache.get(b"t3")


def test_each_way_to_end_forgets_its_own_and_no_other(cache: CheckCache) -> None:
    cache.drop_token(b"t1")
    assert (cache.get(b"t1"), cache.get(b"t2")) == (None, found("s2", 2))
    remember(cache, b"t1", found("s1", 1))
    cache.drop_session("s2")
    assert (cache.get(b"t1"), cache.get(b"t2")) == (found("s1", 1), None)
    remember(cache, b"t2", found("s2", 2))
    cache.drop_account(1)
    assert (cache.get(b"t1"), cache.get(b"t2")) == (None, found("s2", 2))
    cache.drop_all()
    assert cache.get(b"t2") is None


def test_a_read_that_something_ended_meanwhile_is_not_remembered(cache: CheckCache) -> None:
    began = cache.version, cache.confirmation
    cache.drop_session("somebody else's")
    cache.put(b"t3", found("s3", 3), *began)
    assert cache.get(b"t3") is None


def test_the_number_of_entries_is_bounded(cache: CheckCache) -> None:
    for n in range(3 * MOST_ENTRIES):
        remember(cache, n.to_bytes(4), found(str(n), n))
    assert MOST_ENTRIES // 2 <= len(cache._entries) == len(cache._by_session) <= MOST_ENTRIES
    assert cache.get((3 * MOST_ENTRIES - 1).to_bytes(4))
    assert cache.get(b"t1") is None


def verbs(protocol: type) -> set[str]:
    return {name for name, member in inspect.getmembers(protocol) if inspect.isfunction(member) and name[0] != "_"}


def test_every_verb_was_thought_about() -> None:
    """A new verb of sessions or upkeep that may end one must forget it too: it is named here or there."""
    assert verbs(Sessions) == REVOKING["sessions"] | HARMLESS["sessions"]
    assert verbs(Upkeep) == REVOKING["upkeep"] | HARMLESS["upkeep"]
    assert verbs(Accounts) >= REVOKING["accounts"]


class Counted:
    """Counts reads of the database that go past the memory."""

    def __init__(self, harness: Harness) -> None:
        self.cache: CheckCache = harness.store.cache

    @property
    def reads(self) -> int:
        return self.cache.misses


@pytest.fixture
async def harness(tmp_path: Path, postgres_url: str) -> Any:
    async with open_harness(tmp_path, {"MENSHEN_STORAGE__URL": postgres_url}) as made:
        await made.add_account("alice17", password=PASSWORD)
        yield made


async def logged_in(harness: Harness, platform: str = "web") -> str:
    answer = await Shop(harness).done("login.user.user", username="alice17", password=PASSWORD, platform=platform)
    token = str(answer["token"]["token"])

    async def is_remembered() -> bool:
        await harness.flows.sessions.check(token)
        return harness.store.cache.get(digest(token)) is not None

    await until(is_remembered)
    return token


@pytest.mark.parametrize("how", ["end", "end_all", "rotate", "disable", "close", "epoch", "newer login"])
async def test_the_acknowledging_node_refuses_at_once(harness: Harness, how: str) -> None:
    token = await logged_in(harness)
    session = (await harness.store.read.sessions.list_of(1))[0]
    now = harness.clock.now()
    work: dict[str, Any] = {
        "end": lambda tx: tx.sessions.end(session.session_id, 1),
        "end_all": lambda tx: tx.sessions.end_all(1),
        "rotate": lambda tx: tx.sessions.rotate(digest(token), b"r", b"t", b"r2", session),
        "disable": lambda tx: tx.accounts.set_status(1, Status.DISABLED, now=now),
        "close": lambda tx: tx.accounts.close(1, now=now),
        "epoch": lambda tx: tx.upkeep.raise_epoch(),
    }
    if how == "newer login":
        await Shop(harness).done("login.user.user", username="alice17", password=PASSWORD, platform="web")
    else:
        await harness.store.write(work[how])
    if how != "rotate":
        assert await harness.flows.sessions.check(token) is None
    assert harness.store.cache.get(digest(token)) is None


async def level(harness: Harness, token: str) -> int:
    checked = await harness.store.read.sessions.check(digest(token))
    assert checked is not None
    return checked.bearer.level


async def test_the_level_that_a_session_reached_is_known_at_once(harness: Harness) -> None:
    token = await logged_in(harness)
    (session,) = await harness.store.read.sessions.list_of(1)
    assert await level(harness, token) == 1
    now = harness.clock.now()
    await harness.store.write(lambda tx: tx.sessions.prove_twice(session.session_id, now, level=2, methods="pwd otp"))
    assert harness.store.cache.get(digest(token)) is None
    assert await level(harness, token) == 2


async def test_the_level_that_another_node_noted_is_confirmed(harness: Harness, postgres_url: str) -> None:
    import asyncpg

    token = await logged_in(harness)
    assert await level(harness, token) == 1
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("UPDATE sessions SET level = 2")
    await connection.close()

    async def is_told() -> bool:
        return await level(harness, token) == 2

    await until(is_told)
    # The entry itself was renewed: no check had to read it again.
    assert harness.store.cache.get(digest(token)) is not None


async def test_transactions_that_commit_out_of_order_are_all_heard(harness: Harness, postgres_url: str) -> None:
    await commit_out_of_order(harness, postgres_url)


@pytest.mark.timing
async def test_transactions_that_commit_out_of_order_are_all_heard_in_time(harness: Harness, postgres_url: str) -> None:
    assert max(await commit_out_of_order(harness, postgres_url)) < 0.4


async def commit_out_of_order(harness: Harness, url: str) -> tuple[float, float]:
    """The one that began first commits last: its news bears the smaller number, and is heard all the same.

    Seconds until the one and the other is heard.
    """
    import asyncpg

    early = await logged_in(harness, "early")
    late = await logged_in(harness, "late")

    async def is_over(token: str) -> bool:
        return await harness.flows.sessions.check(token) is None

    connections = [await asyncpg.connect(url) for _ in range(2)]
    first = connections[0].transaction()
    await first.start()
    await connections[0].execute("DELETE FROM sessions WHERE token_digest = $1", digest(early))
    await connections[1].execute("DELETE FROM sessions WHERE token_digest = $1", digest(late))
    second = await until(lambda: is_over(late))
    assert not await is_over(early)
    await first.commit()
    found = await until(lambda: is_over(early)), second
    for connection in connections:
        await connection.close()
    return found


async def test_sliding_sessions_slide_from_memory_too(harness: Harness) -> None:
    """Another node's note of use is seen, and a session in use does not lapse by what is remembered."""
    from tests.wire.weidu.client import Client

    client = Client(harness)
    await client.post("/users/login", login_id="alice17", password=PASSWORD)
    token = client.token
    assert token
    for _ in range(40):
        harness.clock.advance(DAY)
        assert await harness.flows.sessions.check(token) is not None
        await asyncio.sleep(0.25)
        assert await harness.flows.sessions.check(token) is not None


async def test_a_check_reads_the_database_once_and_then_no_more(harness: Harness, hand: Hand) -> None:
    token = await logged_in(harness)
    cache = harness.store.cache
    # In its eyes no time goes by, so that it was confirmed a moment ago however long this takes.
    cache.clock = hand
    hand.at = cache.confirmation.at
    before, hits = cache.misses, cache.hits
    for _ in range(1000):
        assert await harness.flows.sessions.check(token)
    assert cache.misses == before
    assert cache.hits == hits + 1000
    harness.clock.advance(MINUTE)
