"""Test the outbox and the audit log."""

from __future__ import annotations

from ipaddress import ip_network

from menshen.core.audit.events import Event, Tag
from menshen.core.audit.filters import EventFilter
from menshen.core.delivery.messages import MAYBE_SENT, NEVER_AGAIN, Channel, Message, MessageState, Template
from menshen.core.time import MINUTE, NEVER, Instant, after
from menshen.ports.store.store import Store, WriteTx
from menshen.testing.store_contract.racing import Dump, OpenStore, nodes, race
from menshen.testing.store_contract.records import NOW

MESSAGE = Message(Channel.SMS, "+8613544285662", Template.CODE_LOGIN, "zh", NOW, code="040719", detail="k***n@163.com")


def message(n: int) -> Message:
    return Message(Channel.EMAIL, f"user{n}@b.example", Template.PASSWORD_CHANGED, "en", after(NOW, n))


async def put(store: Store, *messages: Message) -> list[int]:
    return [await store.write(lambda tx, one=one: tx.outbox.put(one)) for one in messages]  # type: ignore[misc]


async def due(store: Store, at: int = 0, limit: int = 20) -> list[int]:
    return [stored.message_id for stored in await store.read.outbox.due(after(NOW, at), limit=limit)]


def event(n: int, account: int | None = None) -> Event:
    return Event(Tag.LOGIN_FAILED, after(NOW, n), account)


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
        await store.write(lambda tx: tx.outbox.mark_sent(numbers[0], after(NOW, 3)))
        assert await due(store, MINUTE) == numbers[1:]
        assert (await store.read.outbox.list_all())[0].sent_at == NOW + 3

    async def test_of_racing_workers_one_takes_a_message(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        (number,) = await put(stores[0], MESSAGE)
        until = after(NOW, MINUTE)

        async def claim(store: Store, at: int = 0) -> bool:
            return await store.write(lambda tx: tx.outbox.claim(number, after(NOW, at), until))

        won = await race(stores, lambda store, _: claim(store))
        assert won.count(True) == 1
        assert await due(stores[0], MINUTE - 1) == []
        assert not await claim(stores[0], MINUTE - 1)
        # The worker died, so another one may try.
        assert await due(stores[0], MINUTE) == [number]

    async def test_a_sent_message_is_never_claimed(self, open_store: OpenStore) -> None:
        store = await open_store()
        (number,) = await put(store, MESSAGE)
        await store.write(lambda tx: tx.outbox.mark_sent(number, NOW))
        assert not await store.write(lambda tx: tx.outbox.claim(number, after(NOW, MINUTE), after(NOW, 2 * MINUTE)))

    async def test_a_failure_is_counted_and_tried_again_later(self, open_store: OpenStore) -> None:
        store = await open_store()
        (number,) = await put(store, MESSAGE)
        for failures in (1, 2):
            await store.write(lambda tx: tx.outbox.mark_failed(number, after(NOW, MINUTE)))
            (stored,) = await store.read.outbox.list_all()
            assert (stored.failures, stored.next_try_at, stored.state) == (failures, NOW + MINUTE, MessageState.FAILED)
        assert await due(store, MINUTE - 1) == []
        assert await due(store, MINUTE) == [number]
        await store.write(lambda tx: tx.outbox.mark_failed(number, Instant(MAYBE_SENT)))
        assert await due(store, 2**60) == []
        assert (await store.read.outbox.list_all())[0].state is MessageState.UNKNOWN

    async def test_what_waits_for_somebody_is_dropped_and_nothing_else(self, open_store: OpenStore) -> None:
        store = await open_store()
        mine, claimed, sent, others, given_up = await put(
            store, message(1), message(1), message(1), message(2), message(1)
        )
        await store.write(lambda tx: tx.outbox.claim(claimed, after(NOW, 9), after(NOW, MINUTE)))
        await store.write(lambda tx: tx.outbox.mark_sent(sent, after(NOW, 9)))
        await store.write(lambda tx: tx.outbox.mark_failed(given_up, Instant(NEVER_AGAIN)))
        assert await store.write(lambda tx: tx.outbox.drop_waiting([])) == 0
        assert await store.write(lambda tx: tx.outbox.drop_waiting(["user1@b.example", "+8613544285662"])) == 2
        assert [s.message_id for s in await store.read.outbox.list_all()] == [sent, others, given_up]
        # The worker that had it notes its end, and finds no row.
        await store.write(lambda tx: tx.outbox.mark_sent(claimed, after(NOW, 9)))
        assert mine not in await due(store, MINUTE)
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
