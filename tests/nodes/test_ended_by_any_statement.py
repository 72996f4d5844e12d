"""RACE-13: a session that anybody ended, by any statement of any transaction, is refused by every node.

Two nodes remember a token, and are asked for it all the while. Somebody with a database client ends its session.
"""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.faults.caller import Caller, CallResult, Fate
from tests.faults.site import PASSWORD, Site, settled, username
from tests.faults.waiting import until
from tests.nodes.endings import ByHand, Ending, endings_of
from tests.patience import AS_SHIPPED, PATIENT
from tests.server import Server

PROMISE_SECONDS = 0.5
ASKED_EVERY = 0.01
NO_ANSWER = {Fate.AWAY, Fate.LOST}
"""Where a statement locks a table, a check waits, or is told to come back."""

STORES = pytest.mark.parametrize("store", ["sqlite", "postgresql"])


def said_of(answer: CallResult) -> tuple[str, ...] | None:
    """Whom the token is good for and by how many proofs, None for nobody."""
    if answer.fate is not Fate.DONE:
        return None
    return tuple(answer.headers[name] for name in ("x-account-id", "x-account-number", "x-roles", "x-auth-level"))


@dataclass
class Node:
    """One node that is asked for the token, until it is told to stop."""

    caller: Caller
    token: str
    workers: int = 1
    first: tuple[str, ...] = ()
    answers: list[tuple[float, float, bool, Fate]] = field(default_factory=list)
    """When each question was sent and answered, whether the answer was the first one, and its fate."""

    @property
    def _each(self) -> int:
        """So many answers in a row come from each worker."""
        return 12 * self.workers - 9

    async def remember(self) -> None:
        """Ask until each worker says yes, and remembers it."""
        in_a_row = 0

        async def says_yes() -> bool:
            nonlocal in_a_row
            said = said_of(await self.caller.check(self.token))
            self.first = self.first or said or ()
            in_a_row = in_a_row + 1 if said == self.first else 0
            return in_a_row > self._each

        await until(says_yes, every=ASKED_EVERY)
        self.answers.clear()

    async def be_asked(self) -> None:
        while True:
            begun = time.perf_counter()
            answer = await self.caller.check(self.token)
            self.answers.append((begun, time.perf_counter(), said_of(answer) == self.first, answer.fate))
            await asyncio.sleep(ASKED_EVERY)

    def judge(self, ending: Ending, begun: float, committed: float) -> float:
        """How long after the commit it said yes. What a process has refused, it does not revive."""
        for _, answered, good, fate in self.answers:
            if answered < begun and not good:
                assert fate in NO_ANSWER, f"{ending}: refused before it was ended"
        goods = [good for at, _, good, fate in self.answers if at > begun and fate not in NO_ANSWER]
        # Each worker learns it by itself, within the time that is promised.
        assert self.workers > 1 or True not in goods[goods.index(False) :], f"{ending}: good again"
        return max((at - committed for at, _, good, _ in self.answers if good), default=0.0)

    def says_no(self) -> bool:
        """Say whether the last answers say so, and each worker gave some of them."""
        last = [good or fate in NO_ANSWER for _, _, good, fate in self.answers[-self._each :]]
        return len(last) == self._each and not any(last)


async def end(hand: ByHand, nodes: Sequence[Node], ending: Ending, length: float) -> float:
    """End it in a transaction of that many seconds. Return for how long a node said yes after the commit."""
    for node in nodes:
        await node.remember()
    asking = [asyncio.create_task(node.be_asked()) for node in nodes]
    try:
        await asyncio.sleep(5 * ASKED_EVERY)
        await hand.begin()
        await hand.run(*ending.statements)
        await asyncio.sleep(length)
        begun = time.perf_counter()
        await hand.commit()
        committed = time.perf_counter()
        try:
            await until(lambda: all(node.says_no() for node in nodes))
        except AssertionError:
            pytest.fail(f"{ending}, after {length} s: it is good still")
    finally:
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
    late = max(node.judge(ending, begun, committed) for node in nodes)
    await hand.put_back(ending)
    return late


def end_in_every_way(folder: Path, url: str, store: str, lengths: Sequence[float], extra: Mapping[str, str]) -> float:
    """Return the longest time for which a node said yes after a commit, in seconds."""
    with settled(folder, url if store == "postgresql" else "", 2, **extra) as site:
        ports = [site.start().port, site.start("--workers", "2").port]
        where = site.url or site.data / "menshen.db"

        async def play() -> dict[str, float]:
            told = await Caller(ports).login(username(0), PASSWORD)
            token = told.body["data"]["token"]["token"]
            nodes = [Node(Caller([port]), token, workers) for workers, port in enumerate(ports, 1)]
            late: dict[str, float] = {}
            async with ByHand(where) as hand:
                for length in lengths:
                    for ending in endings_of(store):
                        late[f"{ending}, {length} s"] = await end(hand, nodes, ending, length)
            return late

        late = asyncio.run(play())
        print(store, json.dumps({name: round(1000 * seconds) for name, seconds in late.items()}))
    return max(late.values())


@pytest.mark.attack("RACE-13")
@STORES
def test_whatever_ends_a_session_every_node_refuses_it(tmp_path: Path, postgres_url: str, store: str) -> None:
    end_in_every_way(tmp_path, postgres_url, store, [0, 0.3], PATIENT)


@pytest.mark.timing
@STORES
def test_whatever_ends_a_session_every_node_refuses_it_in_time(tmp_path: Path, postgres_url: str, store: str) -> None:
    assert end_in_every_way(tmp_path, postgres_url, store, [0, 0.3, 2], AS_SHIPPED) < PROMISE_SECONDS


@pytest.mark.long
@STORES
def test_whatever_ends_a_session_in_a_long_transaction(tmp_path: Path, postgres_url: str, store: str) -> None:
    """Longer than a minute, for which the feed of earlier programs kept its news."""
    end_in_every_way(tmp_path, postgres_url, store, [2, 62], AS_SHIPPED)


# --- a node that stood still ------------------------------------------------------------------------------------------


async def stop_and_log_out(site: Site, asleep: Server, awake: Caller, token: str) -> None:
    """Stop a node, and end the session on the other one."""
    while True:
        asleep.process.send_signal(signal.SIGSTOP)
        ending = asyncio.create_task(awake.log_out(token))
        with suppress(TimeoutError):
            assert (await asyncio.wait_for(asyncio.shield(ending), 2)).fate is Fate.DONE
            return
        # It was stopped while it held the lock of the SQLite file.
        asleep.process.send_signal(signal.SIGCONT)
        await ending
        assert await asyncio.to_thread(site.rows, "SELECT count(*) FROM sessions") == [(0,)]
        token = (await awake.login(username(1), PASSWORD)).body["data"]["token"]["token"]


@pytest.mark.attack("RACE-13")
@STORES
def test_a_node_that_was_stopped_believes_nothing_when_it_wakes(tmp_path: Path, postgres_url: str, store: str) -> None:
    with settled(tmp_path, postgres_url if store == "postgresql" else "", 2, **PATIENT) as site:
        asleep, awake = site.start(), Caller([site.start().port])

        async def play() -> None:
            for turn in range(6):
                token = (await awake.login(username(0), PASSWORD)).body["data"]["token"]["token"]
                node = Node(Caller([asleep.port]), token)
                await node.remember()
                await asyncio.sleep(turn * 0.02)
                await stop_and_log_out(site, asleep, awake, token)
                await asyncio.sleep(PROMISE_SECONDS)
                # They wait in its socket, and are the first that it sees.
                waiting = [asyncio.create_task(node.caller.check(token)) for _ in range(8)]
                await asyncio.sleep(0.1)
                asleep.process.send_signal(signal.SIGCONT)
                assert {answer.fate for answer in await asyncio.gather(*waiting)} == {Fate.REFUSED}

        asyncio.run(play())
