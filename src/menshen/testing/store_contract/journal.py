"""Test the outbox and the audit log."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

from menshen.core.audit.events import Event, Tag
from menshen.core.audit.filters import EventFilter
from menshen.core.delivery.messages import Channel, Message, MessageState, Template, Try
from menshen.core.delivery.verdicts import Verdict
from menshen.core.time import DAY, MINUTE, NEVER, Instant, after
from menshen.ports.store.store import Store, WriteTx
from menshen.testing.store_contract.racing import Dump, OpenStore, nodes, race
from menshen.testing.store_contract.records import NOW

MESSAGE = Message(Channel.SMS, "+8613544285662", Template.CODE_LOGIN, "zh", NOW, code="040719", detail="k***n@163.com")


def message(n: int) -> Message:
    return Message(Channel.EMAIL, f"user{n}@b.example", Template.PASSWORD_CHANGED, "en", after(NOW, n))


async def put(store: Store, *messages: Message) -> list[int]:
    return [await store.write(lambda tx, one=one: tx.outbox.put(one)) for one in messages]  # type: ignore[misc]


async def due(store: Store, at: int = 0, limit: int = 20, channel: Channel = Channel.EMAIL) -> list[int]:
    return [stored.message_id for stored in await store.read.outbox.due(channel, after(NOW, at), limit=limit)]


async def begin(store: Store, message_id: int, at: int = 0, sender: str = "main") -> Try:
    """Note a try, which must be the message's."""
    tried = Try(message_id, sender, after(NOW, at))
    assert await store.write(lambda tx: tx.outbox.claim(tried))
    return tried


def event(n: int, account: int | None = None) -> Event:
    return Event(Tag.LOGIN_FAILED, after(NOW, n), account)


async def mark_sent(tx: WriteTx, message_id: int, at: Instant) -> None:
    """Try and send a message in one transaction."""
    tried = Try(message_id, "main", at)
    await tx.outbox.claim(tried)
    await tx.outbox.mark_sent(tried, at)


NETWORKS = (
    "192.0.2.7/32", "192.0.2.0/24", "192.0.2.64/26", "192.0.0.0/16", "192.0.0.0/19", "0.0.0.0/0", "198.51.100.0/24",
    "2001:db8::7/128", "2001:db8::/32", "2001:db8:1:2::/64", "2001:db8:0:0::/64", "2001:db8:1::/50", "2000::/3", "::/0",
)  # fmt: skip


class JournalContract:
    """Test `menshen.ports.store.outbox` and `menshen.ports.store.audit`."""

    async def test_a_message_comes_back_as_it_went_in(self, open_store: OpenStore) -> None:
        store = await open_store()
        (number,) = await put(store, MESSAGE)
        (stored,) = await store.read.outbox.list_all()
        assert stored.message == MESSAGE
        assert (stored.message_id, stored.sent_at, stored.failures) == (number, NEVER, 0)

    async def test_recipients_and_codes_are_sealed(self, open_store: OpenStore, dump: Dump) -> None:
        store = await open_store()
        await put(store, MESSAGE, message(1))
        held = await dump()
        assert b"code_login" in held
        for secret in (MESSAGE.code, MESSAGE.to[3:], "user1@b.example"):
            assert secret.encode() not in held

    async def test_the_newest_are_listed_oldest_first(self, open_store: OpenStore) -> None:
        store = await open_store()
        numbers = await put(store, *(message(n) for n in range(5)))
        assert [s.message_id for s in await store.read.outbox.list_all(limit=3)] == numbers[2:]
        assert [s.message_id for s in await store.read.outbox.list_all()] == numbers

    async def test_what_has_not_left_is_due_oldest_first(self, open_store: OpenStore) -> None:
        store = await open_store()
        numbers = await put(store, message(0), message(1), message(2), message(9))
        assert await due(store, 2) == numbers[:3]
        assert await due(store, 2, limit=2) == numbers[:2]
        assert await due(store, -1) == []
        tried = await begin(store, numbers[0], 2)
        assert await store.write(lambda tx: tx.outbox.mark_sent(tried, after(NOW, 3)))
        assert await due(store, MINUTE) == numbers[1:]
        assert (await store.read.outbox.list_all())[0].sent_at == NOW + 3

    async def test_of_racing_workers_one_takes_a_message(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        (number,) = await put(stores[0], MESSAGE)

        async def claim(store: Store, lane: int, at: int = 0) -> bool:
            return await store.write(lambda tx: tx.outbox.claim(Try(number, f"sender-{lane}", after(NOW, at))))

        won = await race(stores, claim)
        assert won.count(True) == 1
        assert await due(stores[0], DAY, channel=Channel.SMS) == []
        assert not await claim(stores[0], 0, DAY)
        (stored,) = await stores[0].read.outbox.list_all()
        assert (stored.state, stored.sender) == (MessageState.SENDING, f"sender-{won.index(True)}")
        assert list(await stores[0].read.outbox.under_way(Channel.SMS)) == [stored.sender]
        assert list(await stores[0].read.outbox.under_way(Channel.EMAIL)) == []

    async def test_a_sent_message_is_never_claimed(self, open_store: OpenStore) -> None:
        store = await open_store()
        (number,) = await put(store, MESSAGE)
        tried = await begin(store, number)
        assert await store.write(lambda tx: tx.outbox.mark_sent(tried, NOW, receipt="r-1", parts=2))
        assert not await store.write(lambda tx: tx.outbox.claim(Try(number, "main", after(NOW, MINUTE))))
        (stored,) = await store.read.outbox.list_all()
        assert (stored.verdict, stored.receipt, stored.parts) == ("accepted", "r-1", 2)
        assert await store.read.outbox.get(number) == stored
        assert await store.read.outbox.get(number + 1) is None

    async def test_a_failure_is_counted_and_tried_again_later(self, open_store: OpenStore) -> None:
        store = await open_store()
        (number,) = await put(store, MESSAGE)
        for failures, at in ((1, 0), (2, MINUTE)):
            tried, again = await begin(store, number, at), after(NOW, at + MINUTE)
            assert await store.write(
                lambda tx, tried=tried, again=again: tx.outbox.mark_failed(  # type: ignore[misc]
                    tried, Verdict.THROTTLED_NUMBER, again, ["main"]
                )
            )
            (stored,) = await store.read.outbox.list_all()
            assert (stored.failures, stored.next_try_at, stored.state) == (failures, again, MessageState.FAILED)
            assert (stored.verdict, stored.asked) == ("rejected:throttled_number", ("main",))
        assert await due(store, 2 * MINUTE - 1, channel=Channel.SMS) == []
        assert await due(store, 2 * MINUTE, channel=Channel.SMS) == [number]
        last = await begin(store, number, 2 * MINUTE)
        assert await store.write(lambda tx: tx.outbox.mark_unknown(last))
        assert await due(store, 2**60, channel=Channel.SMS) == []
        assert (await store.read.outbox.list_all())[0].state is MessageState.UNKNOWN

    async def test_only_the_worker_whose_try_stands_notes_its_end(self, open_store: OpenStore) -> None:
        store = await open_store()
        (number,) = await put(store, MESSAGE)
        first = await begin(store, number)
        freed = await store.write(lambda tx: tx.outbox.free_abandoned(Channel.SMS, "main", NOW, after(NOW, 5)))
        assert freed == [first]
        second = await begin(store, number, 5)
        for late in (
            lambda tx: tx.outbox.mark_sent(first, NOW),
            lambda tx: tx.outbox.mark_failed(first, Verdict.NUMBER, MessageState.GIVEN_UP),
            lambda tx: tx.outbox.mark_unknown(first),
        ):
            assert not await store.write(late)
        assert (await store.read.outbox.list_all())[0].state is MessageState.SENDING
        assert await store.write(lambda tx: tx.outbox.mark_failed(second, Verdict.NUMBER, MessageState.GIVEN_UP))
        assert (await store.read.outbox.list_all())[0].state is MessageState.GIVEN_UP

    async def test_what_a_dead_worker_began_is_unknown_until_it_says_otherwise(self, open_store: OpenStore) -> None:
        store = await open_store()
        number, mail = await put(store, MESSAGE, message(1))
        tried = await begin(store, number, 1)
        await begin(store, mail, 1)
        outbox = store.read.outbox
        for channel, sender, before in ((Channel.EMAIL, "other", 9), (Channel.SMS, "main", 0), (Channel.SMS, "x", 9)):
            assert not await store.write(
                lambda tx, channel=channel, sender=sender, before=before: tx.outbox.shelve_abandoned(  # type: ignore[misc]
                    channel, sender, after(NOW, before)
                )
            )
        ended = await store.write(lambda tx: tx.outbox.shelve_abandoned(Channel.SMS, "main", after(NOW, 1)))
        assert ended == [number]
        assert [stored.state for stored in await outbox.list_all()] == [MessageState.UNKNOWN, MessageState.SENDING]
        assert not await store.write(lambda tx: tx.outbox.mark_failed(tried, Verdict.NOT_REACHED, after(NOW, 2)))
        # It was slow, not dead.
        assert await store.write(lambda tx: tx.outbox.mark_sent(tried, after(NOW, 3)))
        assert (await outbox.list_all())[0].state is MessageState.SENT

    async def test_codes_leave_first_and_notices_last(self, open_store: OpenStore) -> None:
        store = await open_store()
        mail = replace(MESSAGE, channel=Channel.EMAIL)
        notice, failed, code = await put(store, message(0), mail, mail)
        tried = await begin(store, failed)
        assert await store.write(lambda tx: tx.outbox.mark_failed(tried, Verdict.NOT_REACHED, after(NOW, 1)))
        assert await due(store, 1) == [code, failed, notice]
        assert await due(store, 1, channel=Channel.SMS) == []
        assert await store.read.outbox.backlog() == (3, NOW)

    async def test_a_newer_code_of_its_topic_supersedes_one_that_waits(self, open_store: OpenStore) -> None:
        store = await open_store()
        older, others, newer = [
            await store.write(lambda tx, topic=topic: tx.outbox.put(MESSAGE, topic=topic))  # type: ignore[misc]
            for topic in (b"a", b"b", b"a")
        ]
        found = await store.read.outbox.due(Channel.SMS, NOW)
        assert [(one.message_id, one.superseded) for one in found] == [(older, True), (others, False), (newer, False)]
        assert not await store.write(lambda tx: tx.outbox.claim(Try(older, "main", NOW)))
        assert await store.write(lambda tx: tx.outbox.shelve(older, MessageState.SUPERSEDED))
        assert not await store.write(lambda tx: tx.outbox.shelve(older, MessageState.EXPIRED))
        await begin(store, newer)
        assert not await store.write(lambda tx: tx.outbox.shelve(newer, MessageState.EXPIRED))
        assert [one.state for one in await store.read.outbox.list_all()] == [
            MessageState.SUPERSEDED,
            MessageState.WAITING,
            MessageState.SENDING,
        ]

    async def test_a_message_that_waits_is_put_off(self, open_store: OpenStore) -> None:
        store = await open_store()
        number, sent = await put(store, message(0), message(0))
        await store.write(lambda tx: mark_sent(tx, sent, NOW))
        assert await store.write(lambda tx: tx.outbox.postpone(number, after(NOW, MINUTE), ["a!"]))
        assert not await store.write(lambda tx: tx.outbox.postpone(sent, after(NOW, MINUTE)))
        assert await due(store, MINUTE - 1) == []
        assert await due(store, MINUTE) == [number]
        assert await due(store, MINUTE, limit=1) == [number]
        assert list(await store.read.outbox.due(Channel.EMAIL, after(NOW, MINUTE), skip=1)) == []
        assert (await store.read.outbox.list_all())[0].asked == ("a!",)

    async def test_a_receipt_is_noted_once_by_its_sender(self, open_store: OpenStore) -> None:
        store = await open_store()
        (number,) = await put(store, MESSAGE)
        tried = await begin(store, number)
        await store.write(lambda tx: tx.outbox.mark_sent(tried, NOW, receipt="r-1"))
        for sender, receipt in (("other", "r-1"), ("main", "r-2"), ("main", "")):
            assert not await store.write(
                lambda tx, sender=sender, receipt=receipt: tx.outbox.note_outcome(sender, receipt, "delivered")  # type: ignore[misc]
            )
        assert await store.write(lambda tx: tx.outbox.note_outcome("main", "r-1", "delivered"))
        assert not await store.write(lambda tx: tx.outbox.note_outcome("main", "r-1", "failed:30005"))
        assert (await store.read.outbox.list_all())[0].outcome == "delivered"

    async def test_a_message_is_found_by_its_sender_and_its_receipt(self, open_store: OpenStore) -> None:
        store = await open_store()
        numbers = await put(store, MESSAGE, message(1), message(2), message(3))
        for number, sender, receipt in zip(
            numbers, ("main", "main", "other", "main"), ("r-1", "", "r-1", "r-1"), strict=True
        ):
            tried = await begin(store, number, 9, sender=sender)
            await store.write(
                lambda tx, tried=tried, receipt=receipt: tx.outbox.mark_sent(tried, NOW, receipt=receipt)  # type: ignore[misc]
            )
        # A vendor that gives a number twice means the newer message.
        for sender, receipt, wanted in (("main", "r-1", numbers[3]), ("other", "r-1", numbers[2])):
            found = await store.read.outbox.find_receipt(sender, receipt)
            assert found is not None
            assert (found.message_id, found.receipt, found.sender) == (wanted, receipt, sender)
        for sender, receipt in (("main", ""), ("main", "r-2"), ("third", "r-1"), ("main", "R-1")):
            assert await store.read.outbox.find_receipt(sender, receipt) is None

    async def test_what_waits_for_somebody_is_dropped_and_nothing_else(self, open_store: OpenStore) -> None:
        store = await open_store()
        mine, claimed, sent, others, given_up = await put(
            store, message(1), message(1), message(1), message(2), message(1)
        )
        under_way = await begin(store, claimed, 9)
        ended = await begin(store, sent, 9)
        await store.write(lambda tx: tx.outbox.mark_sent(ended, after(NOW, 9)))
        await store.write(lambda tx: tx.outbox.shelve(given_up, MessageState.GIVEN_UP))
        assert await store.write(lambda tx: tx.outbox.drop_waiting([])) == 0
        assert await store.write(lambda tx: tx.outbox.drop_waiting(["user1@b.example", "+8613544285662"])) == 1
        assert [s.message_id for s in await store.read.outbox.list_all()] == [claimed, sent, others, given_up]
        assert mine not in await due(store, MINUTE)
        # What a worker hands over at this moment cannot be called back, and its end is noted.
        assert await store.write(lambda tx: tx.outbox.mark_sent(under_way, after(NOW, 9)))
        assert await store.write(lambda tx: tx.outbox.drop_waiting(["user1@b.example"])) == 0

    async def test_of_many_that_wait_the_newest_are_dropped(self, open_store: OpenStore) -> None:
        """Open no more messages than a short transaction may."""
        store = await open_store()

        async def fill(tx: WriteTx) -> list[int]:
            return [await tx.outbox.put(message(1)) for _ in range(202)]

        first, second, *_ = await store.write(fill)
        assert await store.write(lambda tx: tx.outbox.drop_waiting(["user1@b.example"])) == 200
        assert await due(store, MINUTE) == [first, second]

    async def test_an_event_comes_back_as_it_went_in(self, open_store: OpenStore) -> None:
        store = await open_store()
        full = Event(Tag.LOGIN_SUCCEEDED, NOW, 7, 2, "weidu", "2001:db8::1", "135****5662", "理由", "s" * 26, "r" * 26)
        await store.write(lambda tx: tx.audit.append(full))
        await store.write(lambda tx: tx.audit.append(Event(Tag.APP_ADDED, NOW)))
        assert await store.read.audit.list_events() == [full, Event(Tag.APP_ADDED, NOW)]

    async def test_every_tag_can_be_kept(self, open_store: OpenStore) -> None:
        store = await open_store()
        for tag in Tag:
            await store.write(lambda tx, tag=tag: tx.audit.append(Event(tag, NOW)))  # type: ignore[misc]
        assert [e.tag for e in await store.read.audit.list_events()] == list(Tag)

    async def test_the_newest_events_oldest_first_by_account_and_time(self, open_store: OpenStore) -> None:
        store = await open_store()
        events = [event(n, n % 2 or None) for n in range(6)]
        await store.write(lambda tx: tx.audit.append(events[0]))
        await store.write(lambda tx: tx.audit.append_all(events[1:]))
        read = store.read.audit
        assert await read.list_events(limit=2) == events[4:]
        assert await read.list_events(EventFilter(1)) == events[1::2]
        assert await read.list_events(EventFilter(1), limit=1) == events[5:]
        assert await read.list_events(EventFilter(since=after(NOW, 4))) == events[4:]
        assert await read.list_events(EventFilter(1, since=after(NOW, 3))) == [events[3], events[5]]
        assert list(await read.list_events(EventFilter(99))) == []

    async def test_events_are_found_by_what_is_asked(self, open_store: OpenStore) -> None:
        store = await open_store()
        ips = ["192.0.2.7", "192.0.2.77", "192.0.20.7", "2001:db8::7", "2001:db8:1:2::7", "2001:db8:1:2:8::7", ""]
        events = [
            Event(tag, after(NOW, n), n % 2 or None, ip=ip, reason=f"r{n % 2}", request_id=f"{tag.value}{ip}")
            for n, (ip, tag) in enumerate((ip, tag) for ip in ips for tag in (Tag.LOGIN_FAILED, Tag.CODE_SENT))
        ]
        await store.write(lambda tx: tx.audit.append_all(events))
        asked = [
            EventFilter(),
            EventFilter(1),
            EventFilter(tag=Tag.CODE_SENT),
            EventFilter(since=after(NOW, 5)),
            EventFilter(request_id="code.sent192.0.2.7"),
            EventFilter(request_id="code.sent"),
            EventFilter(1, Tag.CODE_SENT, after(NOW, 2), ip_network("192.0.0.0/16"), "code.sent192.0.2.77"),
            *(
                EventFilter(number, tag, network=ip_network(network))
                for number in (None, 1)
                for tag in (None, Tag.CODE_SENT)
                for network in NETWORKS
            ),
        ]
        for wanted in asked:
            right = [event for event in events if wanted.holds(event)]
            assert list(await store.read.audit.list_events(wanted)) == right, wanted
            assert list(await store.read.audit.list_events(wanted, limit=2)) == right[-2:], wanted
            if not wanted.request_id:
                counted = await store.read.audit.count_events(wanted)
                assert {(c.ip, c.tag, c.reason): (c.count, c.last) for c in counted} == {
                    (event.ip, event.tag, event.reason): (1, event.at) for event in right
                }, wanted

    async def test_pages_of_events_leave_none_out_and_repeat_none(self, open_store: OpenStore) -> None:
        """Many events of one instant and a network that lets every second one through: several pages are read."""
        store = await open_store()
        events = [
            Event(Tag.LOGIN_FAILED, after(NOW, n // 600), ip=f"10.{n % 2 * 200}.0.1", subject=str(n))
            for n in range(3300)
        ]
        await store.write(lambda tx: tx.audit.append_all(events))
        wanted = EventFilter(network=ip_network("10.128.0.0/9"))
        right = [event for event in events if wanted.holds(event)]
        assert len(right) == 1650
        assert list(await store.read.audit.list_events(wanted, limit=5000)) == right
        assert list(await store.read.audit.list_events(wanted, limit=1300)) == right[-1300:]
        assert sum(c.count for c in await store.read.audit.count_events(wanted)) == 1650
