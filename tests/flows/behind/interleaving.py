"""Let a rival in just before a chosen transaction of a flow, by no sleep and no luck.

BETWEEN: the rival commits, then the transaction begins. What the flow read before is old.
HELD: the rival has done its work and not committed when the transaction begins. It commits when the transaction waits
for a lock, or has ended without. What the transaction itself read is old. Only PostgreSQL lets two write at a time.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import asyncpg

from menshen.core.account.accounts import Account
from menshen.core.problems import Problem
from menshen.flows.gates.concurrency import AttemptGate
from tests.flows.site import Site
from tests.substitutes import Substitute

_SOMEBODY_WAITS = """
SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')
"""
Work = Callable[[Any], Awaitable[Any]]
Play = Callable[[Site, Any], Awaitable[Any]]
"""Play a part on a site; the second argument is the store that the part uses."""


def name_of(work: Callable[..., Any]) -> str:
    return str(getattr(work, "__qualname__", "")).replace(".<locals>", "")


class When(StrEnum):
    BETWEEN = "between"
    HELD = "held"


@dataclass(frozen=True)
class State:
    """What a rival leaves of an account, and what must still be so when the flow has ended."""

    account: Account | None
    sessions: frozenset[str]


async def state_of(tx: Any, number: int) -> State:
    sessions = await tx.sessions.list_of(number)
    return State(await tx.accounts.find(number), frozenset(session.session_id for session in sessions))


async def told(play: Awaitable[Any]) -> Any:
    """Give what was answered; a refusal, whether it was returned or raised."""
    try:
        return await play
    except Problem as problem:
        return problem.denied


@dataclass
class Interleaving:
    """One flow, one rival. `turn` and `rival_turn` name their transactions that meet: `sign_up.grant`."""

    site: Site
    number: int
    when: When
    rival: Play
    turn: str
    rival_turn: str
    url: str = ""
    left: list[State] = field(default_factory=list)
    """What the rival left, as its own transaction saw it."""
    rivals_answer: list[Any] = field(default_factory=list)

    async def run(self, flow: Play) -> Any:
        """Play the flow with its rival in between. Give the flow's answer."""
        meetings = itertools.count()

        async def write(work: Work) -> Any:
            if name_of(work) != self.turn or next(meetings):
                return await self.site.store.write(work)
            return await (self._between(work) if self.when is When.BETWEEN else self._held(work))

        store = Substitute(self.site.store, write=write)
        answer = await told(flow(self.site.over(store=store), store))
        assert self.left, "the flow had no such transaction"
        return answer

    async def _between(self, work: Work) -> Any:
        self.rivals_answer.append(await self.rival(self._elsewhere(self.site.store), self.site.store))
        self.left.append(await state_of(self.site.store.read, self.number))
        return await self.site.store.write(work)

    async def _held(self, work: Work) -> Any:
        arrived, may_go = asyncio.Event(), asyncio.Event()
        meetings = itertools.count()

        async def write(rivals_work: Work) -> Any:
            if name_of(rivals_work) != self.rival_turn or next(meetings):
                return await self.site.store.write(rivals_work)

            async def hold(tx: Any) -> Any:
                result = await rivals_work(tx)
                self.left.append(await state_of(tx, self.number))
                arrived.set()
                await may_go.wait()
                return result

            return await self.site.store.write(hold)

        store = Substitute(self.site.store, write=write)
        rival = asyncio.ensure_future(self.rival(self._elsewhere(store), store))
        waiting = asyncio.ensure_future(arrived.wait())
        await asyncio.wait([rival, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        ours = asyncio.ensure_future(self.site.store.write(work))
        try:
            await self._until_it_waits(ours)
        finally:
            may_go.set()
        self.rivals_answer.append(await rival)
        return await ours

    def _elsewhere(self, store: Any) -> Site:
        """Give another node: it has a gate of its own, where the flow does not keep its rival waiting."""
        return self.site.over(store=store, attempt_gate=AttemptGate())

    async def _until_it_waits(self, ours: asyncio.Future[Any]) -> None:
        connection = await asyncpg.connect(self.url)
        try:
            # A question to the database takes its turn with the others: there is nothing to sleep for.
            while not ours.done() and not await connection.fetchval(_SOMEBODY_WAITS):
                pass
        finally:
            await connection.close()
