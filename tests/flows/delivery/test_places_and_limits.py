"""A sender holds its own places only, is asked last while it is down, and stays within its limits of the day."""

from __future__ import annotations

import asyncio

import pytest

from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import MessageState
from menshen.core.delivery.senders import SenderTerms
from menshen.core.delivery.verdicts import Verdict
from menshen.core.time import DAY, MINUTE, after
from menshen.flows.delivery.configured import ConfiguredSender
from menshen.flows.delivery.courier import AT_ONCE
from menshen.flows.delivery.places import AT_ONCE_PER_SENDER
from menshen.ports.delivery import Accepted
from tests.flows.delivery.carriers import (
    Carrier,
    ask_codes,
    courier,
    courier_with,
    drain,
    refusing,
    stored,
)
from tests.flows.site import Site

# --- places -----------------------------------------------------------------------------------------------------------


@pytest.mark.attack("OT-22")
async def test_a_sender_that_hangs_holds_its_own_places_only(site: Site) -> None:
    hanging = Carrier(gate=asyncio.Event())
    other = Carrier()
    delivering = courier_with(
        site,
        ConfiguredSender(SenderTerms("hangs", countries=("+86138",)), hanging),
        ConfiguredSender(SenderTerms("works", countries=("+86139",)), other),
    )
    await ask_codes(site, 40)
    for n in range(20):
        await site.ask_code(f"+8613900{n:06d}", origin=site.elsewhere())
    while len(other.handed) < 20:
        await delivering.start_due()
        await asyncio.sleep(0)
    assert len(hanging.handed) == hanging.most_at_once == AT_ONCE_PER_SENDER
    assert other.most_at_once <= AT_ONCE_PER_SENDER
    assert hanging.gate
    hanging.gate.set()
    await drain(delivering)
    assert hanging.most_at_once == AT_ONCE_PER_SENDER
    assert {one.state for one in await stored(site)} == {MessageState.SENT}


@pytest.mark.attack("OT-23")
async def test_failover_takes_a_place_of_the_next_sender(site: Site) -> None:
    gate = asyncio.Event()
    first, second = refusing(Verdict.NOT_REACHED), Carrier(gate=gate)
    delivering = courier(site, first, second)
    await ask_codes(site, 30)
    for _ in range(200):
        await delivering.start_due()
        await asyncio.sleep(0)
    assert second.at_once == AT_ONCE_PER_SENDER
    gate.set()
    await drain(delivering)
    assert second.most_at_once == AT_ONCE_PER_SENDER
    assert sorted(second.numbers) == sorted({*second.numbers})
    assert len(second.numbers) == 30


async def test_a_worker_hands_over_so_many_at_once(site: Site) -> None:
    gates = [asyncio.Event() for _ in range(6)]
    carriers = [Carrier(gate=gate) for gate in gates]
    delivering = courier_with(
        site, *(ConfiguredSender(SenderTerms(f"s{n}", weight=100), one) for n, one in enumerate(carriers))
    )
    await ask_codes(site, 60)
    for _ in range(50):
        await delivering.start_due()
        await asyncio.sleep(0)
    assert delivering.under_way == AT_ONCE
    for gate in gates:
        gate.set()
    await drain(delivering)
    assert sorted(number for one in carriers for number in one.numbers) == sorted(
        message.message.to for message in await stored(site)
    )


# --- breakers ---------------------------------------------------------------------------------------------------------


@pytest.mark.attack("OT-22")
async def test_a_sender_that_is_down_is_asked_last_and_told_once(site: Site) -> None:
    broken, other = refusing(Verdict.CONFIG), Carrier()
    delivering = courier(site, broken, other)
    await ask_codes(site, 1)
    await delivering.deliver_due()
    for n in range(5):
        await site.ask_code(f"+8613900{n:06d}", origin=site.elsewhere())
    await delivering.deliver_due()
    assert (len(broken.handed), len(other.handed)) == (1, 6)
    assert [event.reason for event in await site.events(tag=Tag.SENDER_DOWN)] == ["a:CODE"]
    site.clock.advance(5 * MINUTE)
    broken.answers = Accepted
    await site.ask_code("+8613911111111", origin=site.elsewhere())
    await delivering.deliver_due()
    assert len(broken.handed) == 2
    assert [event.reason for event in await site.events(tag=Tag.SENDER_BACK)] == ["a"]


async def test_where_all_are_down_the_least_bad_is_asked_at_once(site: Site) -> None:
    carrier = refusing(Verdict.VENDOR_DOWN)
    delivering = courier(site, carrier)
    await ask_codes(site, 3)
    await delivering.deliver_due()
    assert len(carrier.handed) == 3
    assert len(await site.events(tag=Tag.SENDER_DOWN)) == 1


# --- limits of the day ------------------------------------------------------------------------------------------------


@pytest.mark.attack("OT-26")
async def test_a_limit_of_the_day_is_exact_under_races_and_begins_anew_at_midnight(each_site: Site) -> None:
    site = each_site
    site.clock.advance(DAY - site.clock.now() % DAY - MINUTE)
    cheap, dear = Carrier(), Carrier()
    senders = (
        ConfiguredSender(SenderTerms("cheap", order=1, per_day=7, cost_micros=10), cheap),
        ConfiguredSender(SenderTerms("dear", order=2, cost_micros=45, cost_per_day_micros=45 * 5), dear),
    )
    await ask_codes(site, 15)
    await asyncio.gather(*(courier_with(site, *senders).deliver_due() for _ in range(6)))
    assert (len(cheap.handed), len(dear.handed)) == (7, 5)
    states = [one.state for one in await stored(site)]
    assert (states.count(MessageState.SENT), states.count(MessageState.GIVEN_UP)) == (12, 3)
    days = await site.store.read.sender_days.of_day(site.clock.now() // DAY)
    assert [(one.sender, one.messages, one.parts, one.cost_micros) for one in days] == [
        ("cheap", 7, 7, 70),
        ("dear", 5, 5, 225),
    ]
    assert {event.reason for event in await site.events(tag=Tag.SENDER_SPENT)} == {"cheap", "dear"}
    site.clock.advance(MINUTE)
    await site.ask_code("+8613911111111", origin=site.elsewhere())
    await courier_with(site, *senders).deliver_due()
    assert len(cheap.handed) == 8


@pytest.mark.attack("OT-26")
async def test_what_was_not_handed_over_is_not_charged_and_parts_are(site: Site) -> None:
    long, refused = Carrier(lambda: Accepted("r", 3)), refusing(Verdict.NOT_REACHED)
    await site.ask_code()
    await courier_with(
        site,
        ConfiguredSender(SenderTerms("refused", order=1, cost_micros=5), refused),
        ConfiguredSender(SenderTerms("long", order=2, cost_micros=5), long),
    ).deliver_due()
    days = await site.store.read.sender_days.of_day(site.clock.now() // DAY)
    assert [(one.sender, one.messages, one.parts, one.cost_micros) for one in days] == [
        ("long", 1, 3, 15),
        ("refused", 0, 0, 0),
    ]


async def test_who_serves_nobody_is_not_asked(site: Site) -> None:
    await site.ask_code()
    abroad = Carrier()
    await courier_with(site, ConfiguredSender(SenderTerms("abroad", countries=("+65",)), abroad)).deliver_due()
    assert abroad.handed == []
    (one,) = await stored(site)
    assert (one.state, one.verdict) == (MessageState.GIVEN_UP, "unserved")
    assert after(one.message.created_at, 0) == site.clock.now()
