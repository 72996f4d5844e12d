"""Send the messages that wait in the outbox."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from menshen.core.codes.messages import Channel
from menshen.core.time import MINUTE, SECOND, after
from menshen.ports.delivery import DeliveryFailed, DeliveryUnknown, Sender
from menshen.ports.store import Store, WriteTx
from menshen.ports.world import World

_CLAIM = 2 * MINUTE
_MOST_FAILURES = 5
_NEVER_AGAIN = 2**61


async def deliver_due(*, store: Store, senders: Mapping[Channel, Sender], world: World) -> int:
    """Send what is due, each message by one worker only; how many were handled.

    A failure that provably sent nothing is tried again, 10 s doubling, five times. A worker that dies while
    sending leaves the message claimed for two minutes.
    """
    due = await store.read.outbox.due(world.now())
    for stored in due:
        now = world.now()
        number = stored.message_id

        async def claim(tx: WriteTx, number: int = number) -> bool:
            return await tx.outbox.claim(number, world.now(), after(world.now(), _CLAIM))

        if not await store.write(claim):
            continue
        try:
            await senders[stored.message.channel].send(stored.message)
        except DeliveryUnknown:
            # Claimed for ever: a second code in somebody's pocket is worse than asking for a new one.
            await store.write(partial(_shelve, number=number))
        except DeliveryFailed:
            tries = stored.failures + 1
            wait = _NEVER_AGAIN if tries >= _MOST_FAILURES else after(now, 10 * SECOND * 2**stored.failures)

            async def failed(tx: WriteTx, number: int = number, wait: int = wait) -> None:
                await tx.outbox.mark_failed(number, after(wait, 0))

            await store.write(failed)
        else:

            async def sent(tx: WriteTx, number: int = number) -> None:
                await tx.outbox.mark_sent(number, world.now())

            await store.write(sent)
    return len(due)


async def _shelve(tx: WriteTx, number: int) -> None:
    await tx.outbox.mark_failed(number, after(_NEVER_AGAIN, 0))
