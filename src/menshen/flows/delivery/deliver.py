"""Send the messages that wait in the outbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from menshen.core.delivery.messages import MAYBE_SENT, MOST_FAILURES, NEVER_AGAIN, Channel
from menshen.core.time import MINUTE, SECOND, Instant, after
from menshen.flows.background.clock import ClockWatch
from menshen.ports.delivery import DeliveryFailed, DeliveryUnknown, Sender
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World

_CLAIM = 2 * MINUTE


class Sent(StrEnum):
    """Say how an attempt to send a message ended."""

    ACCEPTED = "accepted"
    FAILED = "failed"
    GIVEN_UP = "given_up"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Attempt:
    """Describe an attempt: the message's number in the outbox, and why it failed. It holds no address and no code."""

    message_id: int
    channel: Channel
    result: Sent
    why: str = ""
    tries: int = 1


def _tell_nobody(_attempt: Attempt, _now: Instant) -> None:
    return


async def deliver_due(
    *,
    store: Store,
    senders: Mapping[Channel, Sender],
    world: World,
    clocks: ClockWatch | None = None,
    report: Callable[[Attempt, Instant], None] = _tell_nobody,
) -> int:
    """Send the due messages, each by one worker only. Return how many were handled. `report` gets each attempt.

    A failure that certainly sent nothing is retried after 10 s. The wait doubles each time, and there are at most five
    attempts. A worker that crashes while it sends leaves the message claimed for two minutes.
    """

    def read_clock() -> Instant:
        # By a clock that is ahead, what another worker sends now was given up long ago: it would be sent twice.
        return clocks.settled if clocks else world.now()

    due = await store.read.outbox.due(read_clock())
    for stored in due:
        now = read_clock()
        number, channel, tries = stored.message_id, stored.message.channel, stored.failures + 1

        async def claim(tx: WriteTx, number: int = number) -> bool:
            return await tx.outbox.claim(number, read_clock(), after(read_clock(), _CLAIM))

        if not await store.write(claim):
            continue
        try:
            await senders[channel].send(stored.message)
        except DeliveryUnknown as unknown:
            report(Attempt(number, channel, Sent.UNKNOWN, str(unknown), tries), now)
            # Never retried: the message may have arrived, and a second copy is worse than a request for a new code.
            await store.write(partial(_shelve, number=number))
        except DeliveryFailed as failure:
            last = tries >= MOST_FAILURES
            report(Attempt(number, channel, Sent.GIVEN_UP if last else Sent.FAILED, str(failure), tries), now)
            wait = NEVER_AGAIN if last else after(now, 10 * SECOND * 2**stored.failures)

            async def failed(tx: WriteTx, number: int = number, wait: int = wait) -> None:
                await tx.outbox.mark_failed(number, after(wait, 0))

            await store.write(failed)
        else:
            report(Attempt(number, channel, Sent.ACCEPTED, tries=tries), now)

            async def sent(tx: WriteTx, number: int = number) -> None:
                await tx.outbox.mark_sent(number, read_clock())

            await store.write(sent)
    return len(due)


async def _shelve(tx: WriteTx, number: int) -> None:
    await tx.outbox.mark_failed(number, Instant(MAYBE_SENT))
