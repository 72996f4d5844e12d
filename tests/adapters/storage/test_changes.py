"""A store tells what its transactions ended, before they are acknowledged, and whatever becomes of the caller."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from menshen.adapters.storage.changes import Changes, TellingStore
from menshen.adapters.storage.sql.engines.postgres import open_postgres
from menshen.adapters.storage.sql.engines.sqlite import SqliteStore
from menshen.core.account.accounts import Status
from menshen.core.apps import App
from menshen.core.tokens import digest
from menshen.ports.store.store import WriteTx
from menshen.testing.store_contract.records import NOW, open_session, session_of, settle
from tests.adapters.storage.sealer import SEALER
from tests.faults.waiting import until
from tests.patience import LONG


@pytest.fixture(params=["sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[TellingStore]:
    made: TellingStore
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "menshen.db")
        made = SqliteStore(tmp_path / "menshen.db", SEALER, LONG)
    else:
        made = await open_postgres(request.getfixturevalue("emptied_url"), SEALER, patience=LONG)
    yield made
    await made.close()


def heard_of(store: TellingStore) -> list[Changes]:
    heard: list[Changes] = []
    store.on_commit = heard.append
    return heard


CASES: dict[str, tuple[Callable[[WriteTx, Any], Any], Changes]] = {
    "open": (
        lambda tx, s: tx.sessions.open(s("two", device_id="here"), digest("two"), None, most=1),
        Changes(sessions=["one"]),
    ),
    "rotate": (
        lambda tx, s: tx.sessions.rotate(digest("one"), digest("r"), digest("t"), digest("r2"), s("one")),
        Changes(tokens=[digest("one")]),
    ),
    # Token checks tell the level: what is remembered of the session is wrong now.
    "prove_twice": (
        lambda tx, _: tx.sessions.prove_twice("one", NOW, level=2, methods="pwd otp"),
        Changes(sessions=["one"]),
    ),
    "end": (lambda tx, _: tx.sessions.end("one", 1), Changes(sessions=["one"])),
    "end_all": (lambda tx, _: tx.sessions.end_all(1), Changes(sessions=["one"])),
    "set_status": (lambda tx, _: tx.accounts.set_status(1, Status.DISABLED, now=NOW), Changes(accounts=[1])),
    "close": (lambda tx, _: tx.accounts.close(1, now=NOW), Changes(accounts=[1])),
    "raise_epoch": (lambda tx, _: tx.upkeep.raise_epoch(), Changes(everything=True)),
    "add": (lambda tx, _: tx.apps.add(App(0, "shop", "key", "secret")), Changes(apps=True)),
    "save": (lambda tx, _: tx.apps.save(App(1, "shop", "key", "secret")), Changes(apps=True)),
}


@pytest.mark.parametrize("verb", list(CASES))
async def test_what_ends_is_told_before_it_is_acknowledged(store: TellingStore, verb: str) -> None:
    alice = await settle(store, "alice")
    await open_session(store, session_of(alice, "one"))
    work, told = CASES[verb]
    heard = heard_of(store)
    await store.write(lambda tx: work(tx, lambda *args, **given: session_of(alice, *args, **given)))
    assert heard == [told]


async def test_what_changes_nothing_that_is_remembered_is_not_told(store: TellingStore) -> None:
    heard = heard_of(store)
    await settle(store, "alice")
    assert heard == []


async def test_each_transaction_tells_its_own(store: TellingStore) -> None:
    heard = heard_of(store)
    for name in ("one", "two"):
        await store.write(lambda tx, name=name: tx.sessions.end(name, 1))  # type: ignore[misc]
    assert heard == [Changes(sessions=["one"]), Changes(sessions=["two"])]


async def test_what_failed_is_told_too(store: TellingStore) -> None:
    heard = heard_of(store)

    async def fails(tx: WriteTx) -> None:
        await tx.sessions.end("one", 1)
        raise LookupError

    with pytest.raises(LookupError):
        await store.write(fails)
    assert heard == [Changes(sessions=["one"])]


async def test_it_is_told_when_the_caller_went_away(store: TellingStore) -> None:
    """The transaction happens all the same, after nobody waits for it."""
    heard = heard_of(store)
    caller = asyncio.ensure_future(store.write(lambda tx: tx.sessions.end("one", 1)))
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)

    async def is_told() -> bool:
        return heard == [Changes(sessions=["one"])]

    await until(is_told)
