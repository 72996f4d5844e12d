"""Token checks remembered before an SQLite file: what ends is heard of, here at once and elsewhere soon."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from menshen.adapters.storage.cached_checks import BELIEVED_SECONDS, CachedStore, ChangeSignal, CheckCache
from menshen.adapters.storage.changes import Changes
from menshen.adapters.storage.sql.news.file_watch import EVERY_SECONDS, FileWatch
from menshen.app.assemble import Assembled, assemble
from menshen.app.world import SystemWorld
from menshen.core.account.accounts import Status
from menshen.core.sessions.outcomes import Bearer
from tests.harness import KEYRING, Harness, open_harness, settings_for

PASSWORD = "a fine pass 1"


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[tuple[Harness, Assembled]]:
    """Two programs on one file: a harness and another one, strangers to each other."""
    async with AsyncExitStack() as stack:
        h = await stack.enter_async_context(open_harness(tmp_path, clock=None))
        yield h, await stack.enter_async_context(assemble(settings_for(tmp_path), KEYRING, h.clock))


async def log_in(h: Harness) -> str:
    if await h.store.read.accounts.find(1) is None:
        await h.add_account(username="watched", password=PASSWORD)
    answer = await h.client.post("/weidu/api/v1/users/login", json={"login_id": "watched", "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return answer.headers["token"]


async def refused(token: str, program: Assembled) -> float:
    """Seconds until the program says no; a minute at the most."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    async with asyncio.timeout(60):
        while await program.flows.sessions.check(token):  # noqa: ASYNC110 - a token tells nobody
            await asyncio.sleep(0.005)
    return loop.time() - start


def count_looks(program: Assembled) -> list[None]:
    """One entry for each look at the file that begins from now on, once it has ended."""
    assert isinstance(program.store, CachedStore)
    watch = program.store._on_close.__self__  # type: ignore[attr-defined]
    assert isinstance(watch, FileWatch)
    look, ended = watch.look, list[None]()

    async def counted() -> None:
        await look()
        ended.append(None)

    watch.look = counted  # type: ignore[method-assign]
    return ended


def hits(program: Assembled) -> int:
    assert isinstance(program.store, CachedStore)
    return program.store.cache.hits


async def remembered(token: str, program: Assembled) -> None:
    """Check until the answer comes from memory."""
    before = hits(program)
    while hits(program) == before:
        assert await program.flows.sessions.check(token)
        await asyncio.sleep(0.01)


async def recalled(token: str, program: Assembled) -> Bearer:
    """What memory says, as soon as it is believed: that is only for a moment after each look at the file."""
    async with asyncio.timeout(60):
        while (bearer := program.flows.sessions.recall(token)) is None:
            await remembered(token, program)
    return bearer


async def test_a_checked_token_is_remembered_and_recalled(pair: tuple[Harness, Assembled]) -> None:
    h, other = pair
    token = await log_in(h)
    assert other.flows.sessions.recall(token) is None
    await remembered(token, other)
    assert await recalled(token, other) == await other.flows.sessions.check(token)
    assert other.flows.sessions.recall("x" * 26) is None
    assert other.flows.sessions.recall("x" * 5000) is None


async def end_elsewhere(h: Harness, other: Assembled) -> str:
    """A token that the other program remembers, and that the harness has ended."""
    token = await log_in(h)
    await remembered(token, other)
    now = h.clock.now()
    await h.store.write(lambda tx: tx.accounts.set_status(1, Status.DISABLED, now=now))
    assert await h.flows.sessions.check(token) is None
    return token


async def test_what_another_program_ends_is_refused_from_the_next_look_on(pair: tuple[Harness, Assembled]) -> None:
    h, other = pair
    token = await end_elsewhere(h, other)
    looks = count_looks(other)
    async with asyncio.timeout(60):
        while True:
            before = len(looks)
            if await other.flows.sessions.check(token) is None:
                break
            assert before == 0
            await asyncio.sleep(0.005)
    assert EVERY_SECONDS < BELIEVED_SECONDS < 0.5


@pytest.mark.timing
async def test_what_another_program_ends_is_refused_soon(pair: tuple[Harness, Assembled]) -> None:
    h, other = pair
    # The contract's bound, with the machine's own delays in it.
    assert await refused(await end_elsewhere(h, other), other) < 0.5


async def test_what_this_program_writes_forgets_nothing_of_others(pair: tuple[Harness, Assembled]) -> None:
    h, _ = pair
    token = await log_in(h)
    await remembered(token, h.assembled)
    cache = h.assembled.store.cache
    for _ in range(3):
        version = cache.version
        await h.add_account(password=PASSWORD)
        await asyncio.sleep(2 * EVERY_SECONDS)
        assert cache.version == version
    async with asyncio.timeout(60):
        while h.flows.sessions.recall(token) is None:  # noqa: ASYNC110 - it is believed once the file was looked at
            await asyncio.sleep(0.01)


async def test_a_watch_that_is_silent_is_not_believed(pair: tuple[Harness, Assembled]) -> None:
    h, other = pair
    token = await log_in(h)
    await remembered(token, other)
    assert isinstance(other.store, CachedStore)
    await other.store._on_close()
    await asyncio.sleep(BELIEVED_SECONDS + 0.05)
    assert other.flows.sessions.recall(token) is None
    assert await other.flows.sessions.check(token)


async def test_a_lapsed_session_is_not_recalled(pair: tuple[Harness, Assembled]) -> None:
    h, _ = pair
    token = await log_in(h)
    await remembered(token, h.assembled)
    h.clock.advance(181 * 86_400_000)
    assert h.flows.sessions.recall(token) is None
    assert await h.flows.sessions.check(token) is None


async def test_workers_of_one_parent_hear_at_once(tmp_path: Path) -> None:
    change_signal = ChangeSignal()
    world = SystemWorld()
    async with open_harness(tmp_path) as h, AsyncExitStack() as stack:
        settings = settings_for(tmp_path)
        one, two = [
            await stack.enter_async_context(assemble(settings, KEYRING, world, change_signal)) for _ in range(2)
        ]
        h.clock.at = world.now()
        token = await log_in(h)
        await asyncio.sleep(2 * EVERY_SECONDS)
        for _ in range(5):
            await remembered(token, two)
        session = await one.store.read.sessions.list_of(1)
        await one.store.write(lambda tx: tx.sessions.end(session[0].session_id, 1))
        # Not a moment later: nothing was waited for in between.
        assert two.flows.sessions.recall(token) is None
        assert await two.flows.sessions.check(token) is None


def test_rings_are_heard_even_when_they_cross() -> None:
    change_signal = ChangeSignal()
    one, two = CheckCache(time.monotonic, change_signal), CheckCache(time.monotonic, change_signal)
    versions = one.version, two.version
    two.forget(Changes())
    one.forget(Changes())
    one.get(b"any"), two.get(b"any")
    assert one.version > versions[0]
    assert two.version > versions[1]
