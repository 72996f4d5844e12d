"""Hand over the messages of one channel, and never one of them twice.

A round looks for messages that are due and starts a task for each that has a free place. A task notes its try in the
transaction that claims the message, makes the call, and notes what came of it. A try without an end is unknown: it may
have been sent. (docs/contracts/vendors.md section 2, decision 0066.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from menshen.core.audit.events import Event, Tag
from menshen.core.codes.sms_traffic import day_of
from menshen.core.delivery.messages import Channel, Message, MessageState, StoredMessage
from menshen.core.delivery.next_steps import NOTICE_TIME, end_of
from menshen.core.delivery.senders import choose
from menshen.core.keys import Keyring
from menshen.core.problems import Problem
from menshen.core.time import SECOND, Instant, after
from menshen.flows.background.clock import ClockWatch
from menshen.flows.delivery.breakers import Breakers
from menshen.flows.delivery.configured import ConfiguredSender, DeliveryRules
from menshen.flows.delivery.hand_over import THROTTLED, HandOver
from menshen.flows.delivery.places import Places
from menshen.flows.delivery.reading import DeliveryClock
from menshen.flows.delivery.reports import Dropped, NoReports, Reports
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World

AT_ONCE: Final = 32
"""Messages of one channel that one worker hands over at the same time."""

WINDOW: Final = 1000
"""Messages that one round looks at. Those of a sender without a free place do not hide the others."""

PAGES: Final = 10
"""How often it looks further in one round, while nothing but such messages is found."""

ABANDONED_EVERY: Final = 5 * SECOND

ABANDONED_AFTER: Final = 15 * SECOND
"""How long after the deadline of its sender a try without an end is taken for that of a dead worker (ms)."""

_LONGEST_SEND: Final = 60.0
"""The longest deadline that the settings allow (s). It holds for senders that they no longer name."""


_BEGUN: Final = object()


@dataclass(frozen=True, slots=True)
class _End:
    """Say how a message ends without a try."""

    state: MessageState
    why: str = ""


class Courier:
    """Hand over the messages of one channel, for one worker."""

    def __init__(
        self,
        channel: Channel,
        senders: Sequence[ConfiguredSender],
        *,
        store: Store,
        world: World,
        keyring: Keyring,
        render: Callable[[Message], tuple[str, str]],
        clocks: ClockWatch | None = None,
        reports: Reports | None = None,
        rules: DeliveryRules | None = None,
    ) -> None:
        """Take the senders and the ports, and send nothing yet.

        `render` makes subject and text of a message.
        """
        self._channel = channel
        self._senders = {one.terms.name: one for one in senders}
        self._terms = [one.terms for one in senders]
        self._store = store
        self._world = world
        self._clock = DeliveryClock(world, clocks)
        self.on_error: Callable[[Exception], None] = lambda _: None
        """What gets the error of a message that could not be claimed or noted."""
        self._reports = reports or NoReports()
        self._rules = rules or DeliveryRules()
        self._breakers = Breakers(channel, world, self._reports)
        self._places = Places()
        self._hand_over = HandOver(
            channel,
            self._senders,
            breakers=self._breakers,
            places=self._places,
            store=store,
            world=world,
            keyring=keyring,
            render=render,
            clock=self._clock,
            reports=self._reports,
            rules=self._rules,
            stopped=lambda: self._stopped,
        )
        self._under_way: dict[int, asyncio.Task[bool]] = {}
        self._wake = asyncio.Event()
        self._looked_for_abandoned = -ABANDONED_EVERY
        self._stopped = False

    @property
    def under_way(self) -> int:
        """Return how many messages this worker hands over at this moment."""
        return len(self._under_way)

    def wake(self) -> None:
        """Look for messages now, not only at the next round."""
        self._wake.set()

    async def wait(self, seconds: float) -> None:
        """Wait until there may be something to do: a new message, a free place, or the time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        self._wake.clear()

    async def start_due(self) -> int:
        """Start a task for each due message that has a free place, and return how many were started or ended.

        Raises:
            Problem: the database cannot be asked. What was started goes on.
        """
        if self._world.running_ms() - self._looked_for_abandoned >= ABANDONED_EVERY:
            await self._end_abandoned()
            self._looked_for_abandoned = self._world.running_ms()
        begun = 0
        ended: list[tuple[StoredMessage, _End]] = []
        for page in range(PAGES):
            if self._stopped or len(self._under_way) >= AT_ONCE:
                break
            skip = page * WINDOW
            found = await self._store.read.outbox.due(self._channel, self._clock.latest, limit=WINDOW, skip=skip)
            for stored in found:
                if len(self._under_way) >= AT_ONCE:
                    break
                if stored.message_id not in self._under_way:
                    end = self._begin(stored)
                    begun += end is _BEGUN
                    if isinstance(end, _End):
                        ended.append((stored, end))
            if len(found) < WINDOW:
                break
        # What can be sent comes first: after an outage, much has expired.
        for stored, end in ended[:WINDOW]:
            begun += await self._drop(stored, end)
        return begun

    async def deliver_due(self) -> int:
        """Hand over what is due until nothing more can be started, and wait for its end. Return how many there were."""
        count = 0
        while begun := await self.start_due():
            count += begun
            await self.finish()
        return count

    def stop(self) -> None:
        """Begin no further try: neither of another message, nor by another sender. What is under way goes on."""
        self._stopped = True

    async def finish(self) -> None:
        """Wait for what is under way. It ends by its own deadline."""
        while self._under_way:
            await asyncio.wait(self._under_way.values())
            # Each task takes itself off the list in a callback, which runs behind this.
            await asyncio.sleep(0)

    def _begin(self, stored: StoredMessage) -> _End | object | None:
        """Start one message: _BEGUN. Else say how it ends, or None where it waits, for a free place or another node."""
        message, rules, earliest = stored.message, self._rules, self._clock.earliest
        if not stored.readable:
            # Another node may have the key, or know the template, already. What no node opened in its time is lost.
            ends = after(message.created_at, rules.give_up if message.template.has_code else NOTICE_TIME)
            return _End(MessageState.UNREADABLE) if earliest > ends else None
        if _was_begun_by_an_older_program(stored):
            return _End(MessageState.UNKNOWN, "abandoned")
        if stored.superseded:
            return _End(MessageState.SUPERSEDED)
        if earliest > end_of(message, rules.give_up):
            return _End(MessageState.EXPIRED)
        broken, draw = self._breakers.broken(), str(stored.message_id)
        serving = choose(self._terms, message.to, message.template, broken=broken, draw=draw)
        asked = {name.removesuffix(THROTTLED) for name in stored.asked}
        senders = [terms for terms in serving if terms.name not in asked]
        if not senders:
            return _End(MessageState.GIVEN_UP, "asked" if serving else "unserved")
        if not self._places.take(senders[0].name):
            return None
        # At once: of a breaker that is half open, one message is the probe.
        self._breakers.begin(senders[0].name)
        task = asyncio.create_task(self._hand_over.run(stored, senders, serving), name=f"message {stored.message_id}")
        self._under_way[stored.message_id] = task
        task.add_done_callback(lambda done: self._ended(stored.message_id, done))
        return _BEGUN

    def _ended(self, message_id: int, task: asyncio.Task[bool]) -> None:
        del self._under_way[message_id]
        # What the database did not take is found again: as due, or as abandoned. It is not looked for at once: as long
        # as the database takes nothing, that would go on without a pause. The same holds for what found no place.
        if task.cancelled():
            return
        if isinstance(error := task.exception(), Exception):
            self.on_error(error)
        elif task.result():
            self._wake.set()

    async def _drop(self, stored: StoredMessage, end: _End) -> int:
        now, state = self._clock.now, end.state

        async def work(tx: WriteTx) -> bool:
            ended = await tx.outbox.shelve(stored.message_id, state, end.why)
            if ended and state is MessageState.UNREADABLE:
                await tx.audit.append(Event(Tag.MESSAGE_UNREADABLE, now, reason=str(stored.message_id)))
            return ended

        dropped = await self._store.write(work)
        if dropped:
            has_code = stored.message.template.has_code
            self._reports.dropped(Dropped(stored.message_id, self._channel, state, end.why, has_code), now)
        return int(dropped)

    async def _end_abandoned(self) -> None:
        """End what a worker began and never reported on: unknown, or due again where the receiver drops what it has."""
        now, outbox = self._clock.shared, self._store.read.outbox
        waiting, oldest = await outbox.backlog()
        self._reports.backlog(waiting, max(0, now - oldest) / SECOND if waiting else 0)
        for name in await outbox.under_way(self._channel):
            known = self._senders.get(name)
            seconds = known.seconds if known else _LONGEST_SEND
            before = after(now, -round(seconds * SECOND) - ABANDONED_AFTER)
            await self._end_abandoned_of(name, before, now, repeatable=known is not None and known.terms.repeatable)

    async def _end_abandoned_of(self, name: str, before: Instant, now: Instant, *, repeatable: bool) -> None:
        if repeatable:
            await self._store.write(lambda tx: self._free_abandoned(tx, name, before, now))
            return
        ended = await self._store.write(lambda tx: tx.outbox.shelve_abandoned(self._channel, name, before))
        for message_id in ended:
            self._reports.dropped(Dropped(message_id, self._channel, MessageState.UNKNOWN, "abandoned"), now)

    async def _free_abandoned(self, tx: WriteTx, name: str, before: Instant, now: Instant) -> None:
        """Make tries due again, and return their charges: each is charged when it is repeated."""
        cost = self._senders[name].terms.cost_micros
        for tried in await tx.outbox.free_abandoned(self._channel, name, before, now):
            if self._channel is Channel.SMS:
                await tx.sender_days.adjust(name, day_of(tried.at), messages=-1, parts=-1, cost_micros=-cost)


def _was_begun_by_an_older_program(stored: StoredMessage) -> bool:
    """Tell whether a program of schema 0011 or older claimed a due message, and never said what came of it.

    Its claim was a next try two minutes later, and all that it noted counted a failure.
    """
    return not stored.failures and not stored.sender and stored.next_try_at > stored.message.created_at


async def keep_delivering(courier: Courier, seconds: float, on_error: Callable[[Exception], None]) -> None:
    """Hand over for ever: at once when a message is put, and every `seconds`. `on_error` gets what a round raised."""
    courier.on_error = on_error
    while True:
        try:
            await courier.start_due()
        except Problem as problem:
            on_error(problem)
        except Exception as error:  # noqa: BLE001 - the last resort of a task that must not end
            on_error(error)
        await courier.wait(seconds)
