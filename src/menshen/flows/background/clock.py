"""Watch this machine's clock, so that nothing is swept or ended by it alone.

It is compared with the database's instant, and with the mark in the database and the time that passes. In between, the
time since the last look says whether it has leapt. (docs/security/attacks.md SG-8, decision 0053.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from menshen.core.time import CLOCK_BOUND, NEVER, SECOND, ClockJudged, Instant, after, judge_clock
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World

_MARK_EVERY: Final = 30 * SECOND
"""The mark may lag so far behind: writing it each time would cost more than it tells."""


class ClockWatch:
    """Judge the clock of one process."""

    def __init__(self, *, store: Store, world: World) -> None:
        """Take the ports, and look at nothing yet: the clock is believed until `look`."""
        self._store = store
        self._world = world
        self._judged: ClockJudged | None = None
        self._database = NEVER
        self._looked = 0
        self._mark = NEVER
        """The mark as this process saw or wrote it last."""
        self._trusted = (NEVER, 0)
        """What the clock said when it was believed last, and the running time of then."""
        self._believed = (NEVER, 0)
        """What the clock said when it was believed last, or at the first look, and the running time of then."""
        self.doubts = 0
        """How often it began to be doubted."""
        self.hear: Callable[[Instant], Instant] = lambda told: told
        """What the database's instant is taken for. Tests move it."""

    async def look(self) -> ClockJudged:
        """Compare the clock with the database, and move the mark. Raises Problem as the store does."""

        async def work(tx: WriteTx) -> tuple[ClockJudged, Instant, int, Instant]:
            mark, told = await tx.upkeep.clock()
            database = self.hear(told) if told else NEVER
            now, running = self._world.now(), self._world.running_ms()
            # A mark that became lower was confirmed by an operator: what this process remembers is over.
            known = self._judged.known if self._judged and mark >= self._mark else NEVER
            said, then = self._trusted
            trusted = after(said, running - then) if said else NEVER
            judged = judge_clock(
                now, database=database, mark=mark, known=known, passed=running - self._looked, trusted=trusted
            )
            if judged.mark - mark >= _MARK_EVERY:
                await tx.upkeep.mark_clock(judged.mark)
                mark = judged.mark
            return judged, database, running, mark

        was = self._judged is not None and self._judged.doubted
        judged, self._database, self._looked, self._mark = await self._store.write(work)
        if self._judged is None or not judged.doubted:
            self._believed = (self._world.now(), self._world.running_ms())
        if not judged.doubted:
            self._trusted = self._believed
        self._judged = judged
        self.doubts += judged.doubted and not was
        return judged

    @property
    def lead(self) -> int:
        """Return how far the clock is from what is certain now (ms, 0: within the bound)."""
        judged = self._judged
        if judged is None:
            return 0
        leapt = self._world.now() - self._certain(judged.known) if judged.known else 0
        if abs(leapt) > CLOCK_BOUND:
            return leapt
        return judged.lead if judged.doubted else 0

    @property
    def doubted(self) -> bool:
        """Return whether the clock may be wrong."""
        return self.lead != 0

    @property
    def leapt(self) -> bool:
        """Return whether this process saw it leap. After a time in which no server ran, it is doubted only."""
        now = self._world.now()
        said, then = self._believed
        return (said > 0 and now - said - (self._world.running_ms() - then) > CLOCK_BOUND) or (
            abs(now - self.shared) > CLOCK_BOUND
        )

    @property
    def shared(self) -> Instant:
        """Return the instant that all nodes agree on: the database's, or this machine's where it has none."""
        return self._certain(self._database) if self._database else self._world.now()

    @property
    def settled(self) -> Instant:
        """Return this machine's time, or the one that is shared if the two are too far apart."""
        now, shared = self._world.now(), self.shared
        return now if abs(now - shared) <= CLOCK_BOUND else shared

    @property
    def certain(self) -> Instant:
        """Return an instant that is not earlier than what was certain once, also after the clock was turned back."""
        known = self._judged.known if self._judged else NEVER
        return self._certain(known) if known else self._world.now()

    def _certain(self, then: Instant) -> Instant:
        return after(then, self._world.running_ms() - self._looked)


async def confirm_clock(*, store: Store, world: World) -> Instant:
    """Note that this machine's clock is right, as the operator says, also if the mark is later. Return its time."""
    now = world.now()
    await store.write(lambda tx: tx.upkeep.set_clock(now))
    return now
