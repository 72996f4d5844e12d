"""The store contract on SQLite, and what only SQLite promises."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from menshen.adapters.storage.sql.engines.sqlite import SqliteStore, connect
from menshen.core.problems import Problem, ProblemCode
from menshen.ports.store.store import WriteTx
from menshen.testing.store_contract import Dump, OpenStore, StoreContract
from menshen.testing.store_contract.records import NOW, newcomer, settle
from tests.adapters.storage.sealer import SEALER
from tests.patience import LONG


@pytest.fixture
def path(sqlite_template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(sqlite_template, tmp_path))


@pytest.fixture
async def open_store(path: Path) -> AsyncIterator[OpenStore]:
    opened: list[SqliteStore] = []

    async def open_one() -> SqliteStore:
        opened.append(SqliteStore(path, SEALER, LONG))
        return opened[-1]

    yield open_one
    for store in opened:
        await store.close()


@pytest.fixture
def dump(path: Path) -> Dump:
    async def every_byte() -> bytes:
        # The log beside it holds what was committed and not yet moved into the file.
        return b"".join(file.read_bytes() for file in sorted(path.parent.glob(path.name + "*")))

    return every_byte


class TestSqlite(StoreContract):
    pass


async def test_what_is_acknowledged_is_on_disk(path: Path) -> None:
    connection = connect(path)
    asked = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")}
    connection.close()
    assert asked == {"journal_mode": "wal", "synchronous": 2}


async def test_a_copy_taken_after_an_acknowledgement_holds_it(
    open_store: OpenStore, path: Path, tmp_path: Path
) -> None:
    """As after a power cut: nothing but the files as they are at that moment."""
    store = await open_store()
    for n in range(20):
        await settle(store, f"user{n}")
        copy = tmp_path / f"copy{n}" / path.name
        copy.parent.mkdir()
        for file in path.parent.glob(path.name + "*"):
            if not file.name.endswith("-shm"):
                shutil.copy(file, copy.parent)
        kept = connect(copy)
        assert kept.execute("SELECT count(*) FROM accounts").fetchone() == (n + 1,)
        kept.close()


async def test_a_transaction_may_await_nothing_but_its_own(open_store: OpenStore) -> None:
    store = await open_store()

    async def work(tx: WriteTx) -> None:
        await tx.accounts.add(newcomer("alice"))
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="awaited something"):
        await store.write(work)
    assert await store.read.accounts.find(1) is None
    assert (await settle(store, "alice")).number == 1


async def test_a_mistake_of_one_reader_is_no_writer(open_store: OpenStore) -> None:
    store = await open_store()
    with pytest.raises(Problem) as caught:
        await store.read.accounts.add(newcomer("alice"))  # type: ignore[attr-defined]
    assert caught.value.denied.code is ProblemCode.UNAVAILABLE


async def test_a_writer_elsewhere_is_waited_for(open_store: OpenStore, path: Path) -> None:
    store = await open_store()
    other = connect(path)
    other.execute("BEGIN EXCLUSIVE")
    writing = asyncio.ensure_future(settle(store, "alice"))
    await asyncio.sleep(0.2)
    assert not writing.done()
    # Readers pass any writer.
    assert await store.read.accounts.find(1) is None
    other.execute("COMMIT")
    other.close()
    assert (await writing).number == 1


async def test_a_database_locked_for_good_is_unavailable_and_loses_nothing(
    sqlite_template: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copy(sqlite_template, tmp_path / "locked.db"))
    store = SqliteStore(path, SEALER, replace(LONG, busy=0.1))
    other = connect(path)
    other.execute("BEGIN EXCLUSIVE")
    racers = [settle(store, f"user{n}") for n in range(5)]
    for outcome in await asyncio.gather(*racers, return_exceptions=True):
        assert isinstance(outcome, Problem)
        assert outcome.denied.code is ProblemCode.UNAVAILABLE
        assert outcome.denied.retry_after == 1
    assert not await store.ready()
    other.execute("ROLLBACK")
    other.close()
    assert await store.ready()
    assert (await settle(store, "alice")).number == 1
    await store.close()


async def test_a_full_disk_is_unavailable_and_passes(open_store: OpenStore) -> None:
    store = await open_store()
    assert isinstance(store, SqliteStore)
    pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
    store._writer.execute(f"PRAGMA max_page_count = {pages}")

    async def fill(tx: WriteTx) -> None:
        for n in range(400):
            await tx.accounts.add(newcomer(f"user{n}", password_hash="x" * 500))

    with pytest.raises(Problem) as caught:
        await store.write(fill)
    assert caught.value.denied.code is ProblemCode.UNAVAILABLE
    assert "FULL" in str(caught.value)
    assert await store.read.accounts.find(1) is None
    store._writer.execute("PRAGMA max_page_count = 1000000")
    await store.write(fill)
    found = await store.read.accounts.find(400)
    assert found is not None
    assert found.created_at == NOW


async def test_a_vanished_file_is_not_ready(open_store: OpenStore, path: Path) -> None:
    store = await open_store()
    assert await store.ready()
    path.unlink()  # noqa: ASYNC240 - a local file
    assert not await store.ready()
    await store.close()
    assert not await store.ready()


def test_a_loop_that_closed_stops_nobody(path: Path) -> None:
    """A caller whose loop ended meanwhile gets no answer; the writer goes on with the others."""
    store = SqliteStore(path, SEALER)

    async def go_away() -> None:
        pending = asyncio.ensure_future(settle(store, "alice"))
        await asyncio.sleep(0)
        pending.cancel()
        await asyncio.wait([pending])

    asyncio.run(go_away())

    async def come() -> int:
        number = (await settle(store, "bob")).number
        await store.close()
        return number

    assert asyncio.run(come()) == 2
