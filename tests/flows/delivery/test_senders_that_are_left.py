"""What one sender cannot take now is left to another, and is not lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from menshen.core.delivery.messages import Channel, Message, MessageState, Template, Try
from menshen.core.delivery.senders import SenderTerms
from menshen.core.delivery.verdicts import Verdict
from menshen.core.time import DAY, MINUTE, SECOND
from menshen.flows.delivery.configured import ConfiguredSender
from menshen.flows.delivery.courier import WINDOW
from menshen.ports.delivery import Accepted, DeliveryFailed
from menshen.ports.store.store import WriteTx
from tests.flows.delivery.carriers import Carrier, ask_codes, begun, courier, courier_with, refusing, stored
from tests.flows.site import Site


@pytest.mark.parametrize("spent_first", [True, False])
async def test_a_sender_at_its_limit_ends_no_message_that_another_may_still_take(
    site: Site, *, spent_first: bool
) -> None:
    answers: list[Accepted | Exception] = [DeliveryFailed("ConnectError"), Accepted()]
    spent, works = Carrier(), Carrier(lambda: answers.pop(0))
    senders = (
        ConfiguredSender(SenderTerms("spent", order=1 if spent_first else 3, per_day=1), spent),
        ConfiguredSender(SenderTerms("works", order=2), works),
    )
    day = site.clock.now() // DAY
    await site.store.write(lambda tx: tx.sender_days.charge(senders[0].terms, day))
    delivering = courier_with(site, *senders)
    await site.ask_code()
    await delivering.deliver_due()
    assert (await stored(site))[0].state is MessageState.FAILED
    site.clock.advance(10 * SECOND)
    await delivering.deliver_due()
    assert (len(spent.handed), len(works.handed)) == (0, 2)
    assert (await stored(site))[0].state is MessageState.SENT


async def test_who_was_asked_before_a_hand_off_is_asked_again_after_a_pause(site: Site) -> None:
    await site.ask_code()
    (due,) = await site.store.read.outbox.due(Channel.SMS, site.clock.now())
    tried = Try(due.message_id, "a", site.clock.now())
    await site.store.write(lambda tx: tx.outbox.claim(tried))
    await site.store.write(lambda tx: tx.outbox.mark_failed(tried, Verdict.NOT_REACHED, site.clock.now(), ["a"]))
    first, second = Carrier(), refusing(Verdict.THROTTLED_NUMBER)
    delivering = courier(site, first, second)
    await delivering.deliver_due()
    assert (len(first.handed), len(second.handed)) == (0, 1)
    site.clock.advance(30 * SECOND)
    await delivering.deliver_due()
    assert (len(first.handed), len(second.handed)) == (1, 1)


async def test_one_message_tries_a_sender_that_was_down(site: Site) -> None:
    down, other = refusing(Verdict.CONFIG), Carrier()
    delivering = courier(site, down, other)
    await ask_codes(site, 1)
    await delivering.deliver_due()
    site.clock.advance(5 * MINUTE)
    for n in range(6):
        await site.ask_code(f"+8613900{n:06d}", origin=site.elsewhere())
    await delivering.deliver_due()
    assert (len(down.handed), len(other.handed)) == (2, 7)


async def test_a_long_backlog_of_one_sender_hides_no_message_of_another(site: Site) -> None:
    message = Message(Channel.SMS, "+8613800000000", Template.CODE_LOGIN, "zh", site.clock.now(), code="482913")

    async def fill(tx: WriteTx) -> None:
        for n in range(WINDOW + 50):
            await tx.outbox.put(replace(message, to=f"+8613800{n:06d}"))
        await tx.outbox.put(replace(message, to="+8613900000001"))

    await site.store.write(fill)
    hanging, other = Carrier(gate=asyncio.Event()), Carrier()
    delivering = courier_with(
        site,
        ConfiguredSender(SenderTerms("hangs", countries=("+86138",)), hanging),
        ConfiguredSender(SenderTerms("works", countries=("+86139",)), other),
    )
    await delivering.start_due()
    await begun(other)
    assert other.numbers == ["+8613900000001"]
    assert hanging.gate
    delivering.stop()
    hanging.gate.set()
    await delivering.finish()


async def test_what_is_repeated_after_a_worker_died_is_charged_once(site: Site) -> None:
    await site.ask_code()
    carrier = Carrier()
    configured = ConfiguredSender(SenderTerms("main", per_day=1, cost_micros=9, repeatable=True), carrier, 5.0)
    (due,) = await site.store.read.outbox.due(Channel.SMS, site.clock.now())
    tried = Try(due.message_id, "main", site.clock.now())
    await site.store.write(lambda tx: tx.sender_days.charge(configured.terms, site.clock.now() // DAY))
    await site.store.write(lambda tx: tx.outbox.claim(tried))
    site.clock.advance(MINUTE)
    await courier_with(site, configured).deliver_due()
    assert len(carrier.handed) == 1
    (day,) = await site.store.read.sender_days.of_day(site.clock.now() // DAY)
    assert (day.messages, day.cost_micros) == (1, 9)
