"""Read the time for deliveries. Nodes on one database may have clocks that are some minutes apart."""

from __future__ import annotations

from menshen.core.time import Instant
from menshen.flows.background.clock import ClockWatch
from menshen.ports.world import World


class DeliveryClock:
    """Tell the instants (epoch ms) by which messages are due, late, and tried."""

    def __init__(self, world: World, clocks: ClockWatch | None) -> None:
        """Take this machine's clock, and what watches it (None: the clock is believed)."""
        self._world = world
        self._clocks = clocks

    @property
    def now(self) -> Instant:
        """Return this node's time, by which it makes messages."""
        # By a clock that is ahead, what another worker sends now was given up long ago.
        return self._clocks.settled if self._clocks else self._world.now()

    @property
    def shared(self) -> Instant:
        """Return the time that all nodes agree on, by which tries are noted and judged."""
        return self._clocks.shared if self._clocks else self._world.now()

    @property
    def earliest(self) -> Instant:
        """Return the earlier of both: a message that is late by it is late by every clock."""
        return min(self.now, self.shared)

    @property
    def latest(self) -> Instant:
        """Return the later of both: what another node makes due is due by it."""
        return max(self.now, self.shared)
