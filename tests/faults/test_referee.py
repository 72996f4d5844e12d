"""The referee can fail: each invariant broken by hand is told."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.caller import Caller, CallResult, Fate
from tests.faults.players import Player
from tests.faults.referee import Referee
from tests.faults.site import Site, settled


@pytest.fixture
def played(tmp_path: Path) -> Referee:  # type: ignore[misc]
    """One account that logged in, out and in again, and refreshed; nothing is wrong yet."""
    with settled(tmp_path, accounts=1) as site:
        node = site.start()
        referee = Referee(site, 1)
        player = Player(0, Caller([node.port]), referee, random.Random(0))

        async def play() -> None:
            for what in ("login", "logout", "login", "refresh"):
                assert await player.step(what) is Fate.DONE

        asyncio.run(play())
        assert node.stop() == 0
        assert referee.judge().breaches == []
        yield referee


def alter(site: Site, statement: str) -> None:
    with closing(sqlite3.connect(site.data / "menshen.db")) as connection:
        connection.execute(statement)
        connection.commit()


@pytest.mark.parametrize(
    ("damage", "invariant"),
    [
        ("DELETE FROM sessions", "R1"),
        ("UPDATE accounts SET password_hash = ''", "R1"),
        ("DELETE FROM audit WHERE tag = 'session.ended'", "R2"),
        ("INSERT INTO audit (at, tag, session_id) SELECT at, tag, session_id FROM audit", "R11"),
        ("DELETE FROM audit WHERE tag = 'session.refreshed'", "R11"),
        (
            "INSERT INTO audit (at, tag, session_id, account_number, reason) SELECT 0,'login.succeeded','',1,'code'",
            "R3",
        ),
        ("UPDATE sessions SET token_digest = (SELECT digest FROM spent_refreshes)", "R1"),
    ],
)
def test_damage_is_told(played: Referee, damage: str, invariant: str) -> None:
    alter(played.site, damage)
    assert any(breach.startswith(invariant) for breach in played.judge().breaches)


def test_a_pair_that_vanished_is_told(played: Referee) -> None:
    claims = played.claims[0]
    claims.unsure, claims.unsure_what, claims.live = ("gone", "gone too"), "refresh", None
    assert any(breach.startswith("R5") for breach in played.judge().breaches)


def test_an_ended_session_that_is_back_is_told(played: Referee) -> None:
    claims = played.claims[0]
    assert claims.live
    claims.ended.add(claims.live[0])
    assert any(breach.startswith("R6") for breach in played.judge().breaches)


def test_a_fault_is_told(played: Referee) -> None:
    played.hear("login", CallResult(Fate.FAULT, 500))
    assert any(breach.startswith("R9") for breach in played.judge().breaches)
