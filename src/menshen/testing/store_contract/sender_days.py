"""Test what senders handed over a day: limits are exact under races, and each day is counted apart.

(docs/security/attacks.md OT-26.)
"""

from __future__ import annotations

from collections.abc import Sequence

from menshen.core.delivery.senders import SenderDay, SenderTerms
from menshen.core.time import DAY, Instant, after
from menshen.ports.store.store import Store
from menshen.testing.store_contract.racing import RACERS, OpenStore, nodes, race
from menshen.testing.store_contract.records import NOW

TODAY = NOW // DAY
OPEN = SenderTerms("open", cost_micros=45)
MOST_MICROS = 10**15


async def charge(store: Store, terms: SenderTerms = OPEN, day: int = TODAY) -> SenderDay | None:
    return await store.write(lambda tx: tx.sender_days.charge(terms, day))


async def adjust(store: Store, sender: str = "open", day: int = TODAY, **given: int) -> None:
    await store.write(lambda tx: tx.sender_days.adjust(sender, day, **given))


async def of_day(store: Store, day: int = TODAY) -> Sequence[SenderDay]:
    return await store.read.sender_days.of_day(day)


class SenderDaysContract:
    """Test `menshen.ports.store.sender_days`."""

    async def test_racers_never_exceed_a_number_of_messages_together(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        terms = SenderTerms("main", per_day=7, cost_micros=10)
        days = await race(stores, lambda store, _: charge(store, terms))
        won = sorted(day.messages for day in days if day)
        assert won == list(range(1, 8))
        assert days.count(None) == RACERS - 7
        for store in stores:
            assert list(await of_day(store)) == [SenderDay("main", 7, 7, 70)]

    async def test_racers_never_exceed_a_sum_of_money_together(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        terms = SenderTerms("main", cost_micros=45, cost_per_day_micros=45 * 5 + 44)
        days = await race(stores, lambda store, _: charge(store, terms))
        assert sorted(day.cost_micros for day in days if day) == [45 * n for n in range(1, 6)]
        assert list(await of_day(stores[0])) == [SenderDay("main", 5, 5, 225)]

    async def test_of_two_limits_the_first_one_reached_holds(self, open_store: OpenStore) -> None:
        store = await open_store()
        for name, per_day, most, admitted in (("few", 2, 1000, 2), ("dear", 100, 30, 3)):
            terms = SenderTerms(name, per_day=per_day, cost_micros=10, cost_per_day_micros=most)
            charged = [await charge(store, terms) for _ in range(6)]
            assert [day is not None for day in charged] == [True] * admitted + [False] * (6 - admitted)

    async def test_a_charge_returns_the_day_with_it(self, open_store: OpenStore) -> None:
        store = await open_store()
        assert await charge(store) == SenderDay("open", 1, 1, 45)
        assert await charge(store) == SenderDay("open", 2, 2, 90)
        # Another price counts from now on, and what was charged stays.
        assert await charge(store, SenderTerms("open", cost_micros=1)) == SenderDay("open", 3, 3, 91)

    async def test_limits_of_0_are_none(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        days = await race(stores, lambda store, _: charge(store))
        assert sorted(day.messages for day in days if day) == list(range(1, RACERS + 1))
        free = SenderTerms("free", cost_per_day_micros=1)
        assert [await charge(stores[0], free) for _ in range(3)] == [SenderDay("free", n, n, 0) for n in (1, 2, 3)]

    async def test_a_sum_smaller_than_one_message_admits_none(self, open_store: OpenStore) -> None:
        store = await open_store()
        for most in (1, 44):
            terms = SenderTerms("poor", cost_micros=45, cost_per_day_micros=most)
            assert [await charge(store, terms) for _ in range(2)] == [None, None]
        assert list(await of_day(store)) == []
        assert await charge(store, SenderTerms("poor", cost_micros=45, cost_per_day_micros=45))
        assert await charge(store, SenderTerms("poor", cost_micros=45, cost_per_day_micros=45)) is None

    async def test_a_limit_that_was_lowered_holds_at_once(self, open_store: OpenStore) -> None:
        store = await open_store()
        for _ in range(3):
            await charge(store, SenderTerms("main", per_day=10))
        for per_day in (1, 2, 3):
            assert await charge(store, SenderTerms("main", per_day=per_day)) is None
        assert await charge(store, SenderTerms("main", per_day=4)) == SenderDay("main", 4, 4, 0)

    async def test_a_refused_charge_changes_nothing(self, open_store: OpenStore) -> None:
        store = await open_store()
        terms = SenderTerms("main", per_day=1, cost_micros=10)
        await charge(store, terms)
        for _ in range(3):
            assert await charge(store, terms) is None
        assert list(await of_day(store)) == [SenderDay("main", 1, 1, 10)]

    async def test_days_and_senders_are_counted_apart(self, open_store: OpenStore) -> None:
        store = await open_store()
        one, other = SenderTerms("one", per_day=1), SenderTerms("another", per_day=1)
        for terms in (one, other):
            for day in (TODAY, TODAY + 1):
                assert await charge(store, terms, day)
                assert await charge(store, terms, day) is None
        assert [day.sender for day in await of_day(store)] == ["another", "one"]
        assert len(await of_day(store, TODAY + 1)) == 2
        assert list(await of_day(store, TODAY + 2)) == []

    async def test_what_was_not_handed_over_is_given_back(self, open_store: OpenStore) -> None:
        store = await open_store()
        terms = SenderTerms("main", per_day=2, cost_micros=45, cost_per_day_micros=90)
        for _ in range(2):
            await charge(store, terms)
        await adjust(store, "main", messages=-1, parts=-1, cost_micros=-45)
        assert list(await of_day(store)) == [SenderDay("main", 1, 1, 45)]
        assert await charge(store, terms) == SenderDay("main", 2, 2, 90)
        assert await charge(store, terms) is None

    async def test_further_parts_are_added_and_may_exceed_the_sum(self, open_store: OpenStore) -> None:
        store = await open_store()
        terms = SenderTerms("main", cost_micros=45, cost_per_day_micros=100)
        await charge(store, terms)
        # The vendor counted them after it took the message.
        await adjust(store, "main", parts=2, cost_micros=90)
        assert list(await of_day(store)) == [SenderDay("main", 1, 3, 135)]
        assert await charge(store, terms) is None

    async def test_racers_that_adjust_lose_nothing(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        await charge(stores[0])
        await race(stores, lambda store, _: adjust(store, parts=1, cost_micros=45))
        assert list(await of_day(stores[1])) == [SenderDay("open", 1, 1 + RACERS, 45 * (1 + RACERS))]

    async def test_what_was_never_charged_is_not_adjusted(self, open_store: OpenStore) -> None:
        store = await open_store()
        await charge(store)
        await adjust(store, "nemo", messages=5)
        await adjust(store, day=TODAY - 1, messages=5)
        assert list(await of_day(store)) == [SenderDay("open", 1, 1, 45)]
        assert list(await of_day(store, TODAY - 1)) == []

    async def test_the_largest_sums_of_the_settings_are_kept(self, open_store: OpenStore) -> None:
        store = await open_store()
        terms = SenderTerms("dear", cost_micros=10**12, cost_per_day_micros=MOST_MICROS, per_day=10**9)
        assert await charge(store, terms) == SenderDay("dear", 1, 1, 10**12)
        await adjust(store, "dear", cost_micros=MOST_MICROS - 2 * 10**12)
        assert await charge(store, terms) == SenderDay("dear", 2, 2, MOST_MICROS)
        assert await charge(store, terms) is None

    async def test_a_day_is_kept_for_31_days(self, open_store: OpenStore) -> None:
        store = await open_store()

        async def sweep(at: Instant) -> int:
            return await store.write(lambda tx: tx.upkeep.sweep(at, audit_days=1, batch=500))

        midnight = Instant(TODAY * DAY)
        for day in (TODAY, TODAY + 1):
            await charge(store, day=day)
        assert await sweep(after(midnight, 31 * DAY - 1)) == 0
        assert await sweep(after(midnight, 31 * DAY)) == 1
        assert [len(await of_day(store, day)) for day in (TODAY, TODAY + 1)] == [0, 1]
        assert await sweep(after(midnight, 32 * DAY)) == 1
