"""Keep a breaker for each sender of a channel, and tell when one opens or closes."""

from __future__ import annotations

from collections import defaultdict

from menshen.core.delivery.messages import Channel
from menshen.core.delivery.verdicts import BROKEN, Verdict
from menshen.core.outward.breaker import Breaker, BreakerState
from menshen.flows.delivery.reports import Reports
from menshen.ports.world import World


class Breakers:
    """Judge senders by their last answers, for one process."""

    def __init__(self, channel: Channel, world: World, reports: Reports) -> None:
        """Begin with all of them closed."""
        self._channel = channel
        self._world = world
        self._reports = reports
        self._breakers: dict[str, Breaker] = defaultdict(Breaker)
        self._down: set[str] = set()

    def broken(self) -> set[str]:
        """Return the senders that should not be asked now."""
        now = self._world.running_ms()
        return {name for name, breaker in self._breakers.items() if not breaker.admits(now)}

    def begin(self, sender: str) -> None:
        """Note that a sender is asked."""
        self._breakers[sender].begin(self._world.running_ms())
        self._tell(sender)

    def note(self, sender: str, verdict: Verdict, *, answered: bool = True) -> BreakerState | None:
        """Note a verdict. Return OPEN or CLOSED where the sender went down or came back by it, else None.

        `answered`: the vendor gave the verdict. A message that the sender refuses itself says nothing of the vendor.
        """
        breaker, now = self._breakers[sender], self._world.running_ms()
        if verdict in BROKEN:
            breaker.trip(now)
        elif verdict in {Verdict.NOT_REACHED, Verdict.UNKNOWN}:
            breaker.fail(now)
        elif answered and verdict is not Verdict.THROTTLED_VENDOR:
            breaker.succeed(now)
        state = self._tell(sender)
        if state is BreakerState.OPEN and sender not in self._down:
            self._down.add(sender)
            return BreakerState.OPEN
        if state is BreakerState.CLOSED and sender in self._down:
            self._down.discard(sender)
            return BreakerState.CLOSED
        return None

    def _tell(self, sender: str) -> BreakerState:
        state = self._breakers[sender].state(self._world.running_ms())
        self._reports.breaker(self._channel, sender, state)
        return state
