"""Messages leave once: the try is noted before the call, and only what certainly sent nothing is tried again."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

import pytest

from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import Channel, MessageState, Try
from menshen.core.delivery.senders import SenderTerms
from menshen.core.delivery.verdicts import REFUSALS, Verdict
from menshen.core.time import DAY, MINUTE, SECOND
from menshen.flows.delivery.configured import ConfiguredSender, DeliveryRules
from menshen.flows.delivery.courier import ABANDONED_AFTER
from menshen.ports.delivery import Accepted, DeliveryFailed
from tests.flows.delivery.carriers import (
    Carrier,
    ask_codes,
    begun,
    courier,
    courier_with,
    refusing,
    silent,
    stored,
)
from tests.flows.site import PHONE, Site


async def test_a_message_leaves_once_with_its_receipt(site: Site) -> None:
    await site.ask_code()
    carrier = Carrier(lambda: Accepted("r-1", 2))
    delivering = courier(site, carrier)
    assert await delivering.deliver_due() == 1
    (handover,) = carrier.handed
    assert (handover.message.to, handover.message_id, handover.now) == (PHONE, 1, site.clock.now())
    assert handover.message.code in handover.text
    assert await delivering.deliver_due() == 0
    (one,) = await stored(site)
    assert (one.state, one.sender, one.receipt, one.parts) == (MessageState.SENT, "a", "r-1", 2)
    assert one.sent_at == site.clock.now()


@pytest.mark.attack("OT-23")
async def test_of_racing_workers_one_sends(each_site: Site) -> None:
    site = each_site
    phones = await ask_codes(site, 5)
    carrier = Carrier()
    await asyncio.gather(*(courier(site, carrier).deliver_due() for _ in range(10)))
    assert sorted(carrier.numbers) == phones


@pytest.mark.attack("OT-24")
async def test_what_certainly_sent_nothing_is_tried_again_while_its_time_lasts(site: Site) -> None:
    await site.ask_code()
    carrier = refusing(Verdict.THROTTLED_VENDOR)
    delivering = courier(site, carrier)
    for wait in (10, 20, 40):
        assert await delivering.deliver_due() == 1
        assert (await stored(site))[0].state is MessageState.FAILED
        site.clock.advance(wait * SECOND - 1)
        assert await delivering.deliver_due() == 0
        site.clock.advance(1)
    assert await delivering.deliver_due() == 1
    site.clock.advance(300 * DAY)
    assert await delivering.deliver_due() == 0
    (one,) = await stored(site)
    assert (one.failures, one.state, one.verdict) == (4, MessageState.GIVEN_UP, "rejected:throttled_vendor")


async def test_a_vendor_that_asks_for_a_pause_gets_it(site: Site) -> None:
    await site.ask_code()
    carrier = refusing(Verdict.THROTTLED_VENDOR, retry_after=33)
    delivering = courier(site, carrier)
    await delivering.deliver_due()
    site.clock.advance(33 * SECOND - 1)
    assert await delivering.deliver_due() == 0
    site.clock.advance(1)
    assert await delivering.deliver_due() == 1


async def test_a_failure_that_passes_delays_the_message_only(site: Site) -> None:
    await site.ask_code()
    answers: list[Accepted | Exception] = [DeliveryFailed("ConnectError"), Accepted()]
    carrier = Carrier(lambda: answers.pop(0))
    delivering = courier(site, carrier)
    await delivering.deliver_due()
    site.clock.advance(10 * SECOND)
    await delivering.deliver_due()
    first, second = carrier.handed
    assert (await stored(site))[0].state is MessageState.SENT
    assert first.nonce != second.nonce, "a vendor would take the second try for the first"


@pytest.mark.attack("OT-23")
async def test_what_may_have_left_is_never_sent_again(site: Site) -> None:
    await site.ask_code()
    carrier, other = silent(), Carrier()
    delivering = courier(site, carrier, other)
    assert await delivering.deliver_due() == 1
    site.clock.advance(300 * DAY)
    assert await delivering.deliver_due() == 0
    assert (len(carrier.handed), len(other.handed)) == (1, 0)
    assert (await stored(site))[0].state is MessageState.UNKNOWN


@pytest.mark.attack("OT-22")
async def test_whatever_a_sender_raises_is_unknown(site: Site) -> None:
    await site.ask_code()
    carrier, other = Carrier(lambda: RuntimeError("with the number in it")), Carrier()
    assert await courier(site, carrier, other).deliver_due() == 1
    assert other.handed == []
    assert (await stored(site))[0].state is MessageState.UNKNOWN


@pytest.mark.attack("OT-22")
async def test_a_sender_that_breaks_its_deadline_is_cut_off(site: Site) -> None:
    await site.ask_code()
    carrier = Carrier(gate=asyncio.Event())
    delivering = courier_with(
        site, ConfiguredSender(SenderTerms("slow"), carrier, 0.05), rules=DeliveryRules(backstop=0.0)
    )
    assert await delivering.deliver_due() == 1
    assert (await stored(site))[0].state is MessageState.UNKNOWN


# --- the next sender, on proof only -----------------------------------------------------------------------------------


@pytest.mark.attack("OT-23")
@pytest.mark.parametrize("verdict", sorted(REFUSALS | {Verdict.NOT_REACHED}))
async def test_who_is_asked_next(site: Site, verdict: Verdict) -> None:
    await site.ask_code()
    first, second = refusing(verdict), Carrier()
    await courier(site, first, second).deliver_due()
    (one,) = await stored(site)
    if verdict is Verdict.NUMBER:
        assert (second.handed, one.state, one.failures) == ([], MessageState.GIVEN_UP, 1)
    else:
        assert (len(second.handed), one.state, one.sender, one.failures) == (1, MessageState.SENT, "b", 1)


@pytest.mark.attack("OT-23")
async def test_a_number_that_all_vendors_throttle_is_given_up_at_once(site: Site) -> None:
    await site.ask_code()
    carriers = [refusing(Verdict.THROTTLED_NUMBER) for _ in range(3)]
    delivering = courier(site, *carriers)
    await delivering.deliver_due()
    site.clock.advance(MINUTE)
    await delivering.deliver_due()
    assert [len(one.handed) for one in carriers] == [1, 1, 1]
    assert (await stored(site))[0].state is MessageState.GIVEN_UP


async def test_only_who_did_not_throttle_the_number_is_asked_again(site: Site) -> None:
    await site.ask_code()
    first, second = refusing(Verdict.THROTTLED_NUMBER), refusing(Verdict.NOT_REACHED)
    delivering = courier(site, first, second)
    await delivering.deliver_due()
    site.clock.advance(10 * SECOND)
    await delivering.deliver_due()
    assert (len(first.handed), len(second.handed)) == (1, 2)


@pytest.mark.attack("OT-23")
async def test_a_worker_that_dies_between_two_senders_leaves_the_second_to_another(site: Site) -> None:
    await site.ask_code()
    (due,) = await site.store.read.outbox.due(Channel.SMS, site.clock.now())
    tried = Try(due.message_id, "a", site.clock.now())
    assert await site.store.write(lambda tx: tx.outbox.claim(tried))
    await site.store.write(lambda tx: tx.outbox.mark_failed(tried, Verdict.CONFIG, site.clock.now(), ["a"]))
    first, second = Carrier(), Carrier()
    await courier(site, first, second).deliver_due()
    assert (len(first.handed), len(second.handed)) == (0, 1)


# --- a worker that ends -----------------------------------------------------------------------------------------------


@pytest.mark.attack("OT-23")
@pytest.mark.parametrize("repeatable", [False, True])
async def test_what_a_dead_worker_had_is_unknown_unless_its_receiver_drops_it(site: Site, *, repeatable: bool) -> None:
    await site.ask_code()
    (due,) = await site.store.read.outbox.due(Channel.SMS, site.clock.now())
    tried = Try(due.message_id, "main", site.clock.now())
    assert await site.store.write(lambda tx: tx.outbox.claim(tried))
    carrier = Carrier()
    configured = ConfiguredSender(SenderTerms("main", repeatable=repeatable), carrier, 5.0)
    site.clock.advance(5 * SECOND + ABANDONED_AFTER - 1)
    assert await courier_with(site, configured).deliver_due() == 0
    assert (await stored(site))[0].state is MessageState.SENDING
    site.clock.advance(1)
    assert await courier_with(site, configured).deliver_due() == int(repeatable)
    assert len(carrier.handed) == int(repeatable)
    assert (await stored(site))[0].state is (MessageState.SENT if repeatable else MessageState.UNKNOWN)


@pytest.mark.attack("OT-23")
async def test_a_worker_that_was_only_slow_may_say_that_it_was_sent(site: Site) -> None:
    await site.ask_code()
    carrier = Carrier(gate=asyncio.Event())
    slow = courier_with(site, ConfiguredSender(SenderTerms("main"), carrier))
    assert await slow.start_due() == 1
    await begun(carrier)
    site.clock.advance(MINUTE)
    other = courier_with(site, ConfiguredSender(SenderTerms("main"), Carrier()))
    assert await other.deliver_due() == 0
    assert (await stored(site))[0].state is MessageState.UNKNOWN
    assert carrier.gate
    carrier.gate.set()
    await slow.finish()
    assert (await stored(site))[0].state is MessageState.SENT


async def test_a_stop_waits_for_the_send_under_way(site: Site) -> None:
    await site.ask_code()
    carrier = Carrier(gate=asyncio.Event())
    delivering = courier(site, carrier)
    await delivering.start_due()
    ending = asyncio.create_task(delivering.finish())
    await begun(carrier)
    assert not ending.done()
    assert carrier.gate
    carrier.gate.set()
    await ending
    assert (await stored(site))[0].state is MessageState.SENT


# --- what is not sent any more ----------------------------------------------------------------------------------------


@pytest.mark.attack("OT-24")
async def test_a_code_is_dropped_when_its_time_is_over(site: Site) -> None:
    await site.ask_code()
    carrier = Carrier()
    site.clock.advance(120 * SECOND + 1)
    await courier(site, carrier).deliver_due()
    assert carrier.handed == []
    assert (await stored(site))[0].state is MessageState.EXPIRED


@pytest.mark.attack("OT-24")
async def test_a_refusal_that_came_late_leaves_no_time_for_the_next_sender(site: Site) -> None:
    await site.ask_code()

    def late() -> Exception:
        site.clock.advance(120 * SECOND + 1)
        return DeliveryFailed("ConnectTimeout")

    first, second = Carrier(late), Carrier()
    await courier(site, first, second).deliver_due()
    assert (len(first.handed), second.handed) == (1, [])
    assert (await stored(site))[0].state is MessageState.EXPIRED


@pytest.mark.attack("OT-24")
async def test_after_a_restart_only_what_is_still_good_is_sent(site: Site) -> None:
    phones = await ask_codes(site, 2)
    site.clock.advance(MINUTE)
    await site.ask_code(phones[0], origin=site.elsewhere())
    site.clock.advance(61 * SECOND)
    carrier = Carrier()
    await courier(site, carrier).deliver_due()
    assert [(one.message.to, one.message_id) for one in carrier.handed] == [(phones[0], 3)]
    assert [one.state for one in await stored(site)] == [
        MessageState.SUPERSEDED,
        MessageState.EXPIRED,
        MessageState.SENT,
    ]


@pytest.mark.attack("OT-24")
async def test_a_newer_code_takes_the_place_of_one_that_waits(site: Site) -> None:
    await site.ask_code()
    site.clock.advance(MINUTE)
    await site.ask_code()
    carrier = Carrier()
    await courier(site, carrier).deliver_due()
    assert [handover.message_id for handover in carrier.handed] == [2]
    assert [one.state for one in await stored(site)] == [MessageState.SUPERSEDED, MessageState.SENT]


async def test_what_no_key_opens_is_left_to_others_and_then_shelved_with_an_alarm(site: Site) -> None:
    phones = await ask_codes(site, 2)
    with closing(sqlite3.connect(site.harness.data_dir / "menshen.db")) as file, file:
        file.execute("UPDATE outbox SET body_sealed = X'00' WHERE message_id = 1")
    carrier = Carrier()
    delivering = courier(site, carrier)
    await delivering.deliver_due()
    assert carrier.numbers == phones[1:]
    assert [one.state for one in await stored(site)] == [MessageState.WAITING, MessageState.SENT]
    site.clock.advance(120 * SECOND + 1)
    await delivering.deliver_due()
    assert (await stored(site))[0].state is MessageState.UNREADABLE
    assert [event.reason for event in await site.events(tag=Tag.MESSAGE_UNREADABLE)] == ["1"]
