"""Hand over one message: note the try, make the call, note what came of it, and ask the next sender on proof only.

Each try is two transactions with a call between them. The first claims the row, charges the sender's day and notes the
try. The second writes the verdict. A try without a verdict may have been sent.
(docs/contracts/vendors.md section 2.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from menshen.core.audit.events import Event, Tag
from menshen.core.codes.sms_traffic import country_of, day_of
from menshen.core.delivery.messages import Channel, Message, MessageState, StoredMessage, Try
from menshen.core.delivery.next_steps import Next, end_of, next_step
from menshen.core.delivery.senders import SenderTerms
from menshen.core.delivery.verdicts import NOT_HANDED_OVER, Verdict
from menshen.core.keys import Keyring, Use
from menshen.core.outward.breaker import BreakerState
from menshen.core.problems import Problem
from menshen.core.time import SECOND, Instant
from menshen.flows.delivery.breakers import Breakers
from menshen.flows.delivery.configured import ConfiguredSender, DeliveryRules
from menshen.flows.delivery.places import Places
from menshen.flows.delivery.reading import DeliveryClock
from menshen.flows.delivery.reports import Attempt, Dropped, Reports
from menshen.ports.delivery import Accepted, DeliveryFailed, DeliveryUnknown, Handover
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World

T = TypeVar("T")

THROTTLED: Final = "!"
"""Behind the name of a sender that throttled the number: no name has it."""

_LONGEST_RECEIPT: Final = 128

_FULL: Final = object()
_LOST: Final = object()

WRITES: Final = 5
"""How often a verdict is written where the database is away, with a second between. Then the try stays without one."""


class _SpentError(Exception):
    """Undo a claim: the sender is at its limit of the day."""


@dataclass(frozen=True, slots=True)
class _Result:
    """Hold how one call ended."""

    verdict: Verdict
    why: str = ""
    code: str = ""
    retry_after: float = 0
    accepted: Accepted | None = None


@dataclass(slots=True)
class _Course:
    """Keep what happened to one message in this worker."""

    stored: StoredMessage
    serving: Sequence[SenderTerms]
    failures: int
    asked: list[str]
    throttled: set[str]
    spent: set[str] = field(default_factory=set)
    last: _Result | None = None

    def left(self) -> list[SenderTerms]:
        """Return who was not asked yet, and is not known to be at its limit of the day."""
        return [terms for terms in self.serving if terms.name not in self.asked and terms.name not in self.spent]

    @property
    def noted(self) -> list[str]:
        """Return who was asked, as the row holds it. Who throttled the number has a mark, and is not asked again."""
        return [f"{name}{THROTTLED}" if name in self.throttled else name for name in self.asked]

    def following(self, result: _Result, *, another: bool, give_up: int, now: Instant) -> Next | Instant | MessageState:
        """Return what follows a try that sent nothing."""
        closed = self.throttled | self.spent
        return next_step(
            result.verdict,
            another=another,
            later=any(terms.name not in closed for terms in self.serving),
            pauses=self.failures // max(1, len(self.serving)),
            retry_after=result.retry_after,
            ends=end_of(self.stored.message, give_up),
            now=now,
        )


class HandOver:
    """Hand over messages of one channel, each by `run`."""

    def __init__(
        self,
        channel: Channel,
        senders: Mapping[str, ConfiguredSender],
        *,
        breakers: Breakers,
        places: Places,
        store: Store,
        world: World,
        keyring: Keyring,
        render: Callable[[Message], tuple[str, str]],
        clock: DeliveryClock,
        reports: Reports,
        rules: DeliveryRules,
        stopped: Callable[[], bool],
    ) -> None:
        """Take the ports, and what `Courier` was given. No try begins once `stopped` says yes."""
        self._channel = channel
        self._senders = senders
        self._breakers = breakers
        self._places = places
        self._store = store
        self._world = world
        self._keyring = keyring
        self._render = render
        self._clock = clock
        self._reports = reports
        self._rules = rules
        self._stopped = stopped
        self._spent: dict[str, int] = {}
        """The day on which each sender was found at its limit: one event for each."""

    async def run(self, stored: StoredMessage, senders: Sequence[SenderTerms], serving: Sequence[SenderTerms]) -> bool:
        """Hand over one message. `senders` are asked in their order, `serving` are all that may serve it.

        The caller took a place of the first sender, which is given back here. False: nothing came of it, for no place
        was free or no try may begin, and the message waits as before.

        Raises:
            Problem: the database took no claim, or no verdict. A claim without a verdict stands.
        """
        ordered = [*senders, *(terms for terms in serving if terms not in senders)]
        asked = [name.removesuffix(THROTTLED) for name in stored.asked]
        throttled = {name.removesuffix(THROTTLED) for name in stored.asked if name.endswith(THROTTLED)}
        course = _Course(stored, ordered, stored.failures, asked, throttled)
        held: str | None = senders[0].name
        while True:
            tried = await self._claim(course, held)
            if not isinstance(tried, Try):
                return tried
            held = None
            try:
                result, seconds = await self._call(course, tried)
            finally:
                self._places.give_back(tried.sender)
            if not await self._note(course, tried, result, seconds):
                return True

    async def _claim(self, course: _Course, held: str | None) -> Try | bool:
        """Charge the first sender that is not at its limit, and note the try; a place of that sender is taken.

        True: another worker has the message, or it ended. False: it waits for a place, or no try may begin any more.
        """
        for terms in course.left():
            if self._stopped():
                if held is not None:
                    self._places.give_back(held)
                return False
            if terms.name != held and not self._places.take(terms.name):
                return False
            try:
                claimed = await self._claim_for(terms, course)
            except BaseException:
                self._places.give_back(terms.name)
                raise
            if isinstance(claimed, Try):
                return claimed
            self._places.give_back(terms.name)
            held = None
            if claimed is _LOST:
                return True
            course.spent.add(terms.name)
        await self._end_spent(course)
        return True

    async def _claim_for(self, terms: SenderTerms, course: _Course) -> Try | object:
        """Note a try of one sender. Else return _FULL where it is at its limit, or _LOST."""
        now, due = self._clock.shared, self._clock.latest

        async def work(tx: WriteTx) -> Try | object:
            tried = Try(course.stored.message_id, terms.name, now)
            # The claim comes first: those who lose it must not wait for the one row of the sender's day.
            if not await tx.outbox.claim(tried, due):
                return _LOST
            if self._is_charged and await tx.sender_days.charge(terms, day_of(now)) is None:
                raise _SpentError
            return tried

        try:
            return await self._store.write(work)
        except _SpentError:
            await self._tell_spent(terms.name, now)
            return _FULL

    async def _tell_spent(self, name: str, now: Instant) -> None:
        if self._spent.get(name) == day_of(now):
            return
        self._spent[name] = day_of(now)
        try:
            await self._store.write(lambda tx: tx.audit.append(Event(Tag.SENDER_SPENT, now, reason=name)))
        except Problem:
            del self._spent[name]
            raise

    async def _end_spent(self, course: _Course) -> None:
        """End or put off a message whose other senders are at their limit of the day."""
        now, number, state = self._clock.shared, course.stored.message_id, MessageState.GIVEN_UP
        if course.last is not None:
            following = course.following(course.last, another=False, give_up=self._rules.give_up, now=now)
            if not isinstance(following, Next | MessageState):
                asked = sorted(f"{name}{THROTTLED}" for name in course.throttled)
                await self._store.write(lambda tx: tx.outbox.postpone(number, following, asked))
                return
        if await self._store.write(lambda tx: tx.outbox.shelve(number, state, "spent")):
            has_code = course.stored.message.template.has_code
            self._reports.dropped(Dropped(number, self._channel, state, "spent", has_code), now)

    @property
    def _is_charged(self) -> bool:
        return self._channel is Channel.SMS

    async def _call(self, course: _Course, tried: Try) -> tuple[_Result, float]:
        """Make the call. Any end of it that is not understood is unknown."""
        configured = self._senders[tried.sender]
        message = course.stored.message
        begun = self._world.elapsed_ms()
        self._breakers.begin(tried.sender)
        try:
            subject, text = self._render(message)
        except Exception as error:  # noqa: BLE001 - a text that cannot be made sends nothing
            return _Result(Verdict.CONFIG, type(error).__name__), 0.0
        handover = Handover(message, tried.message_id, self._nonce(course, tried), tried.at, text, subject)
        try:
            async with asyncio.timeout(configured.seconds + self._rules.backstop):
                accepted = await configured.sender.send(handover)
                result = _Result(Verdict.ACCEPTED, accepted=accepted)
        except DeliveryFailed as failed:
            result = _Result(failed.verdict, str(failed), failed.code, failed.retry_after)
        except DeliveryUnknown as unknown:
            result = _Result(Verdict.UNKNOWN, str(unknown))
        except Exception as error:  # noqa: BLE001 - after any error of a sender, the message may have left
            # Only the type is shown: its text may quote the message.
            result = _Result(Verdict.UNKNOWN, type(error).__name__)
        return result, (self._world.elapsed_ms() - begun) / 1000

    def _nonce(self, course: _Course, tried: Try) -> str:
        parts = (self._channel.value, str(tried.message_id), tried.sender, str(course.failures))
        return self._keyring.mac(Use.HANDOVER, *parts).hex()[:32]

    async def _note(self, course: _Course, tried: Try, result: _Result, seconds: float) -> bool:
        """Write the verdict. Return whether another sender is to be asked now."""
        now, verdict = self._clock.shared, result.verdict
        terms = self._senders[tried.sender].terms
        answered = result.accepted is not None or result.code != ""
        changed = self._breakers.note(tried.sender, verdict, answered=answered)
        course.asked.append(tried.sender)
        if verdict is Verdict.THROTTLED_NUMBER:
            course.throttled.add(tried.sender)
        parts = result.accepted.parts if result.accepted else 1
        course.last, following = result, None
        if verdict in NOT_HANDED_OVER:
            another = bool(course.left())
            following = course.following(result, another=another, give_up=self._rules.give_up, now=now)

        async def work(tx: WriteTx) -> bool:
            if changed is not None:
                await tx.audit.append(_event_of(changed, tried.sender, result, now))
            if result.accepted is not None:
                ours = await tx.outbox.mark_sent(tried, now, receipt=_kept(result.accepted.receipt), parts=parts)
                if ours and parts > 1 and self._is_charged:
                    more = parts - 1
                    await tx.sender_days.adjust(
                        terms.name, day_of(tried.at), parts=more, cost_micros=more * terms.cost_micros
                    )
                return ours
            if following is None:
                return await tx.outbox.mark_unknown(tried)
            ours = await self._mark_failed(tx, course, tried, verdict, following, now)
            if ours and self._is_charged:
                await self._return_charge(tx, terms, tried.at)
            return ours

        ours = await self._write_surely(work)
        course.failures += result.accepted is None
        self._reports.tried(
            Attempt(
                tried.message_id,
                self._channel,
                tried.sender,
                country_of(course.stored.message.to, self._rules.countries) if self._is_charged else "",
                verdict,
                _state_of(result, following),
                result.why,
                result.code,
                course.failures + (result.accepted is not None),
                seconds,
                0 if verdict in NOT_HANDED_OVER else terms.cost_micros * parts,
            ),
            now,
        )
        return ours and following is Next.ASK_ANOTHER

    async def _mark_failed(
        self,
        tx: WriteTx,
        course: _Course,
        tried: Try,
        verdict: Verdict,
        following: Next | Instant | MessageState,
        now: Instant,
    ) -> bool:
        if following is Next.ASK_ANOTHER:
            # Due at once: where this worker ends here, another one asks the next sender.
            return await tx.outbox.mark_failed(tried, verdict, now, course.noted)
        if isinstance(following, MessageState):
            return await tx.outbox.mark_failed(tried, verdict, following)
        asked = sorted(f"{name}{THROTTLED}" for name in course.throttled)
        return await tx.outbox.mark_failed(tried, verdict, Instant(following), asked)

    async def _return_charge(self, tx: WriteTx, terms: SenderTerms, at: Instant) -> None:
        await tx.sender_days.adjust(terms.name, day_of(at), messages=-1, parts=-1, cost_micros=-terms.cost_micros)

    async def _write_surely(self, work: Callable[[WriteTx], Awaitable[T]]) -> T:
        """Write a verdict, also where the database is away for a moment. Raises Problem."""
        for _ in range(WRITES - 1):
            try:
                return await self._store.write(work)
            except Problem:
                await self._world.pause(SECOND)
        return await self._store.write(work)


def _state_of(result: _Result, following: Next | Instant | MessageState | None) -> MessageState:
    if result.accepted is not None:
        return MessageState.SENT
    if following is None:
        return MessageState.UNKNOWN
    return following if isinstance(following, MessageState) else MessageState.FAILED


def _event_of(changed: BreakerState, sender: str, result: _Result, now: Instant) -> Event:
    """Return the event of a sender that went down, with the vendor's word for it, or that came back."""
    if changed is BreakerState.OPEN:
        return Event(Tag.SENDER_DOWN, now, reason=f"{sender}:{result.code or result.verdict.value}")
    return Event(Tag.SENDER_BACK, now, reason=sender)


def _kept(receipt: str) -> str:
    """Return a vendor's number as a row can hold it, "" for one that no receipt would ever bring back."""
    return receipt if receipt.isprintable() and receipt.isascii() and len(receipt) <= _LONGEST_RECEIPT else ""
