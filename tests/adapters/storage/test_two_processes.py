"""Two processes on one SQLite file, as two workers are: what is promised of racers holds between them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from menshen.adapters.storage.sql.engines.sqlite import SqliteStore
from menshen.core.codes.one_time_codes import TRIES, Taken
from menshen.core.time import DAY
from menshen.core.tokens import digest
from menshen.ports.store.store import Store, WriteTx
from menshen.testing.store_contract import codes
from menshen.testing.store_contract.proofs.records import (
    BEGUN,
    CODES,
    KIND,
    SOON,
    passkey_of,
    pending_of,
    trusted_of,
)
from menshen.testing.store_contract.records import NOW, live, open_session, session_of, settle
from tests.adapters.storage.racer import RACERS
from tests.adapters.storage.sealer import SEALER
from tests.patience import LONG

ROOT = Path(__file__).parents[3]
ROUNDS = 6
ALL = 2 * RACERS
Race = Callable[[str, int], list[Any]]


@pytest.fixture(scope="module")
def path(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copy(sqlite_template, tmp_path_factory.mktemp("two")))


@pytest.fixture(scope="module")
def race(path: Path) -> Iterator[Race]:
    """Have both processes run a scenario at one moment; what all their racers got."""
    command = [sys.executable, "-m", "tests.adapters.storage.racer", str(path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    racers = [
        subprocess.Popen(
            [*command, name], cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for name in "ab"
    ]

    def run(scenario: str, turn: int) -> list[Any]:
        for racer in racers:
            assert racer.stdin
            racer.stdin.write(json.dumps({"scenario": scenario, "round": turn}) + "\n")
        for racer in racers:
            assert racer.stdin
            racer.stdin.flush()
        got = []
        for racer in racers:
            assert racer.stdout
            got += json.loads(racer.stdout.readline())
        return got

    for racer in racers:
        assert racer.stdout
        assert racer.stdout.readline() == "ready\n"
    yield run
    for racer in racers:
        racer.communicate(timeout=60)
        assert racer.returncode == 0


@pytest.fixture
async def store(path: Path) -> Any:
    opened = SqliteStore(path, SEALER, LONG)
    yield opened
    await opened.close()


@pytest.mark.attack("RACE-1")
async def test_a_code_opens_one_session(store: Store, race: Race) -> None:
    for turn in range(ROUNDS):
        await codes.put(store, codes.challenge())
        assert race("take", turn).count(True) == 1


@pytest.mark.attack("RACE-2")
async def test_a_code_has_five_tries(store: Store, race: Race) -> None:
    for turn in range(ROUNDS):
        await codes.put(store, codes.challenge())
        assert race("guess", turn).count(True) == TRIES
        assert await codes.take(store, codes.RIGHT) is Taken.DEAD


async def test_counts_are_exact(store: Store, race: Race) -> None:
    counts = [count for turn in range(ROUNDS) for count in race("hit", turn)]
    assert sorted(counts) == list(range(1, ALL * ROUNDS + 1))


async def test_a_quota_is_not_exceeded(race: Race) -> None:
    assert [race("charge", turn).count(True) for turn in range(2)] == [7, 0]


async def test_a_name_has_one_bearer(race: Race) -> None:
    assert sorted(race("register", 0)) == ["", *["username"] * (ALL - 1)]


@pytest.mark.attack("RACE-3", "RACE-4")
async def test_a_slot_has_one_session_and_a_pair_one_successor(store: Store, race: Race) -> None:
    alice = await store.read.accounts.find(1) or await settle(store, "alice")
    for turn in range(ROUNDS):
        sessions = race("login", turn)
        assert len(sessions) == ALL
        assert len(await live(store, *sessions)) == 1
        pair = session_of(alice, "pair", slot="platform:web", refresh_expires_at=NOW + DAY)
        await open_session(store, pair, digest("refresh"))
        assert race("rotate", turn).count(True) == 1
        assert await live(store, "pair") == []


@pytest.mark.attack("RACE-1")
async def test_what_proves_a_second_time_is_good_once(store: Store, race: Race) -> None:
    alice = await store.read.accounts.find(1) or await settle(store, "alice")
    number = alice.number
    assert ALL == 50
    for turn in range(2):

        async def give(tx: WriteTx) -> None:
            await tx.pending_logins.add(pending_of(alice, "ticket"), most=3)
            await tx.pending_logins.add(pending_of(alice, "tried"), most=3)
            await tx.factors.begin(number, KIND, BEGUN, SOON)
            await tx.recovery_codes.replace(number, CODES, NOW)
            await tx.passkeys.remove_all(number)
            await tx.passkeys.add(passkey_of(alice, "key", counter=0))
            await tx.trusted_devices.end_all(number)
            await tx.trusted_devices.add(trusted_of(alice, "one"), digest("trust"), most=20)

        await store.write(give)
        for what in ("ticket", "confirm", "advance", "recover", "passkey", "trust"):
            assert race(what, turn).count(True) == 1, what
        assert race("step", turn).count(True) == TRIES
        await store.write(lambda tx: tx.pending_logins.end_all(number))
        await store.write(lambda tx: tx.factors.remove_all(number))
