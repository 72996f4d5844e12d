"""F1: kill -9 in the middle of logins, SMS logins, refreshes and password changes."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from tests.faults.caller import Caller, Fate
from tests.faults.players import Player, deal_codes, until_done
from tests.faults.referee import Referee
from tests.faults.site import Site, settled
from tests.faults.waiting import until
from tests.patience import PATIENT
from tests.postgres import PostgresServer
from tests.server import Server

PLAYERS = 6
CALLS = ("login", "refresh", "refresh", "refresh", "password", "code", "check")


async def _round(node: Server, site: Site, referee: Referee, players: list[Player], luck: random.Random) -> None:
    for player in players:
        player.caller.ports = [node.port]
        await player.settle()
        await player.fetch_code()
    deal_codes(players)
    # One of each is answered however slow this machine is; when the rest is cut is chance.
    for what, player in zip(("code", "login", "refresh", "password"), players, strict=False):
        await player.step(what)
    over = asyncio.Event()
    games = [asyncio.create_task(player.play(over, CALLS)) for player in players]
    await asyncio.sleep(0.15 + luck.random() * 0.2)
    node.kill()
    over.set()
    await asyncio.gather(*games)


def kill_rounds(site: Site, rounds: int, seed: int) -> tuple[Referee, int]:
    """Play and kill `rounds` times, and judge after each; the referee, and refreshes that nobody heard of."""
    luck = random.Random(seed)
    referee = Referee(site, PLAYERS)
    players = [Player(n, Caller([0]), referee, luck) for n in range(PLAYERS)]
    unheard = 0
    for number in range(rounds):
        node = site.start()
        asyncio.run(_round(node, site, referee, players, luck))
        # Whatever it was of a lost refresh that had happened: its client gets a pair.
        assert not referee.fates["refresh again refused"], f"seed {seed}, round {number}: {referee.fates}"
        verdict = referee.judge()
        assert not verdict.breaches, f"seed {seed}, round {number}: {verdict.breaches}"
        unheard += verdict.rotated_unheard
    return referee, unheard


def _expect_play(referee: Referee, rounds: int) -> None:
    """The test tested something: every kind of call was answered, and some were cut."""
    for what in ("login", "refresh", "password", "code"):
        assert referee.fates[f"{what} done"], referee.fates
    assert referee.total(Fate.LOST) >= rounds, referee.fates


def test_a_few_kills_on_sqlite(tmp_path: Path) -> None:
    with settled(tmp_path, "", PLAYERS, **PATIENT) as site:
        referee, _ = kill_rounds(site, 5, seed=1)
        _expect_play(referee, 5)


def test_a_few_kills_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    with settled(tmp_path, postgres_url, PLAYERS, **PATIENT) as site:
        referee, _ = kill_rounds(site, 3, seed=2)
        _expect_play(referee, 3)


def test_a_killed_worker_is_replaced_and_nothing_is_lost(tmp_path: Path) -> None:
    kill_workers(tmp_path)


@pytest.mark.timing
def test_a_killed_worker_is_replaced_in_time(tmp_path: Path) -> None:
    assert kill_workers(tmp_path) < 20


def kill_workers(folder: Path) -> float:
    """Three times, in the middle of everything; the seconds until there is another, at most."""
    luck = random.Random(3)
    with settled(folder, "", PLAYERS, **PATIENT) as site:
        node = site.start("--workers", "2")
        referee = Referee(site, PLAYERS)
        players = [Player(n, Caller([node.port]), referee, luck) for n in range(PLAYERS)]

        async def play() -> float:
            over = asyncio.Event()
            games = [asyncio.create_task(p.play(over, ("login", "refresh", "password", "check"))) for p in players]
            slowest = 0.0
            for _ in range(3):
                await until_done(referee, 20)
                before = children(node)
                os.kill(luck.choice(sorted(before)), signal.SIGKILL)
                slowest = max(slowest, await until(partial(_newcomers, node, before), every=0.01))
            await until_done(referee, 20)
            over.set()
            await asyncio.gather(*games)
            return slowest

        slowest = asyncio.run(play())
        print(f"replaced in {slowest:.2f} s at most")
        assert node.stop() == 0
        assert not referee.judge().breaches
    return slowest


def _newcomers(node: Server, before: set[int]) -> set[int]:
    return children(node) - before


def children(node: Server) -> set[int]:
    text = Path(f"/proc/{node.process.pid}/task/{node.process.pid}/children").read_text()
    return {int(pid) for pid in text.split()}


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_five_hundred_kills(tmp_path: Path, store: str) -> None:
    """250 rounds on each store, in lots, so that no account's history outgrows the judge."""
    rounds, figures = int(os.environ.get("KILL_ROUNDS", "250")), Counter[str]()
    with PostgresServer(durable=True) as server:
        for lot in range(0, rounds, 25):
            url = server.create() if store == "postgresql" else ""
            folder = tmp_path / f"lot{lot}"
            folder.mkdir()
            with settled(folder, url, PLAYERS, **PATIENT) as site:
                lot_rounds = min(25, rounds - lot)
                referee, unheard = kill_rounds(site, lot_rounds, seed=1000 + lot)
                figures.update(referee.fates)
                figures["rounds"] += lot_rounds
                figures["refreshes that happened unheard"] += unheard
    print(store, json.dumps(dict(sorted(figures.items()))))
    assert figures["rounds"] == rounds
