"""Test attempt counters, quotas, and counts of codes sent and verified: exact under races."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from menshen.core.codes.sms_traffic import Traffic
from menshen.core.gates.limits import Claim, Count, Hit
from menshen.core.time import CLOCKS_APART, DAY, HOUR, MINUTE, SECOND, Instant, after
from menshen.ports.store.store import Store, WriteTx
from menshen.testing.store_contract.racing import RACERS, OpenStore, nodes, race
from menshen.testing.store_contract.records import NOW

A, B, C = b"a" * 32, b"b" * 32, b"c" * 32
WINDOW = 15 * MINUTE
CROWD = 50


async def hit(store: Store, at: int = 0, *, key: bytes = A, cap: int = 10, idle: bool = False) -> Count:
    """Count one attempt, `at` ms after NOW."""
    one = Hit(key, WINDOW, cap, idle=idle)
    (count,) = await store.write(lambda tx: tx.counters.hit([one], after(NOW, at)))
    return count


async def peek(store: Store, at: int = 0, key: bytes = A) -> int:
    return await store.write(lambda tx: tx.counters.peek(key, after(NOW, at)))


async def charge(store: Store, *claims: Claim, at: int = 0) -> int | None:
    return await store.write(lambda tx: tx.counters.charge(claims, after(NOW, at)))


class CountersContract:
    """Test `menshen.ports.store.counters`."""

    async def test_no_two_racers_get_the_same_count(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        counts = await race(stores, lambda store, _: hit(store), racers=CROWD)
        assert sorted(count.tries for count in counts) == list(range(1, CROWD + 1))
        assert {count.since for count in counts} == {NOW}
        assert await peek(stores[1]) == CROWD

    async def test_the_uses_of_a_quota_can_be_read(self, open_store: OpenStore) -> None:
        store = await open_store()

        async def uses(key: bytes, at: int) -> int:
            return await store.read.counters.uses(key, WINDOW, after(NOW, at))

        for at in (0, 0, 10):
            assert await charge(store, Claim(A, 3, WINDOW), Claim(B, 9, WINDOW), at=at) is None
        assert await charge(store, Claim(A, 3, WINDOW), at=20) is not None
        assert [await uses(A, at) for at in (10, WINDOW - 1, WINDOW, WINDOW + 9, WINDOW + 10)] == [3, 3, 1, 1, 0]
        assert (await uses(B, 10), await uses(C, 10)) == (3, 0)
        # What a clock that was ahead wrote counts for nothing.
        assert await uses(A, -HOUR) == 0

    async def test_a_count_starts_anew_a_window_after_its_first_try(self, open_store: OpenStore) -> None:
        store = await open_store()
        assert await hit(store) == Count(1, NOW, WINDOW)
        assert await hit(store, WINDOW - 1) == Count(2, NOW, WINDOW)
        assert await peek(store, WINDOW - 1) == 2
        assert await peek(store, WINDOW) == 0
        assert await hit(store, WINDOW) == Count(1, after(NOW, WINDOW), WINDOW)

    async def test_an_idle_count_starts_anew_a_window_after_its_last_try(self, open_store: OpenStore) -> None:
        store = await open_store()
        await hit(store, idle=True)
        assert await hit(store, WINDOW - 1, idle=True) == Count(2, after(NOW, WINDOW - 1), WINDOW)
        assert await hit(store, 2 * WINDOW - 2, idle=True) == Count(3, after(NOW, 2 * WINDOW - 2), WINDOW)
        assert (await hit(store, 3 * WINDOW - 2, idle=True)).tries == 1

    async def test_past_the_cap_knocking_moves_the_end_no_further(self, open_store: OpenStore) -> None:
        store = await open_store()
        for n in range(3):
            await hit(store, n, cap=3, idle=True)
        for at, wait in ((3, 900), (WINDOW // 2, 451), (WINDOW + 1, 1)):
            count = await hit(store, at, cap=3, idle=True)
            assert count == Count(4, after(NOW, 2), WINDOW)
            assert count.retry_after(after(NOW, at)) == wait
            await store.write(lambda tx: tx.counters.forgive([A]))
        assert await hit(store, WINDOW + 2, cap=3, idle=True) == Count(1, after(NOW, WINDOW + 2), WINDOW)

    async def test_what_was_forgiven_was_no_try(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        await race(stores, lambda store, _: hit(store), racers=CROWD)
        await race(stores, lambda store, _: store.write(lambda tx: tx.counters.forgive([A])), racers=CROWD - 1)
        assert await peek(stores[0]) == 1
        for _ in range(3):
            await stores[0].write(lambda tx: tx.counters.forgive([A, B]))
        assert await peek(stores[0]) == 0
        assert (await hit(stores[0])).tries == 1

    async def test_cleared_is_forgotten(self, open_store: OpenStore) -> None:
        store = await open_store()
        for key in (A, A, B, B, C, C):
            await hit(store, key=key)
        await store.write(lambda tx: tx.counters.clear([A, b"unknown"], forgive=[B]))
        assert [await peek(store, key=key) for key in (A, B, C)] == [0, 1, 2]
        assert await hit(store, 5) == Count(1, after(NOW, 5), WINDOW)

    async def test_several_counts_come_in_the_order_asked(self, open_store: OpenStore) -> None:
        store = await open_store()
        await hit(store, key=B)
        hits = [Hit(C, 1, 1), Hit(B, WINDOW, 1), Hit(A, 3, 1)]
        counts = await store.write(lambda tx: tx.counters.hit(hits, NOW))
        assert list(counts) == [Count(1, NOW, 1), Count(2, NOW, WINDOW), Count(1, NOW, 3)]

    async def test_those_who_move_the_same_counters_never_wait_for_each_other_in_a_ring(
        self, open_store: OpenStore
    ) -> None:
        stores = await nodes(open_store)
        orders = [(A, B, C), (B, A, C), (C, B, A)]

        async def count(tx: WriteTx, keys: tuple[bytes, ...]) -> None:
            await tx.counters.hit([Hit(key, WINDOW, 10) for key in keys], NOW)

        async def move(store: Store, n: int) -> None:
            keys = orders[n % 3]
            for _ in range(5):
                await store.write(lambda tx: count(tx, keys))
                await store.write(lambda tx: tx.counters.clear(keys[:2], forgive=keys[2:]))

        # A deadlock ends after a second or more, by the database or by a time-out: eight would take too long.
        async with asyncio.timeout(8):
            await race(stores, move, racers=18)

    async def test_racers_never_exceed_a_quota_together(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        got = await race(stores, lambda store, _: charge(store, Claim(A, 7, HOUR), Claim(B, 100, HOUR)), racers=CROWD)
        assert got.count(None) == 7
        assert [wait for wait in got if wait is not None] == [3600] * (CROWD - 7)
        # Refused calls were charged to no claim.
        assert [await charge(stores[0], Claim(B, 100, HOUR)) for _ in range(94)].count(None) == 93

    async def test_a_count_from_a_clock_that_was_ahead_begins_anew(self, open_store: OpenStore) -> None:
        store = await open_store()
        for _ in range(3):
            await hit(store, 365 * DAY, cap=2, idle=True)
            await hit(store, 365 * DAY, key=B)
        assert await peek(store) == await peek(store, key=B) == 0
        assert await hit(store, cap=2, idle=True) == Count(1, NOW, WINDOW)
        assert await hit(store, key=B) == Count(1, NOW, WINDOW)
        assert await hit(store, 1, key=B) == Count(2, NOW, WINDOW)

    async def test_a_count_from_a_clock_a_little_ahead_goes_on(self, open_store: OpenStore) -> None:
        store = await open_store()
        await hit(store, CLOCKS_APART)
        assert await peek(store) == 1
        assert await hit(store) == Count(2, after(NOW, CLOCKS_APART), WINDOW)
        assert await peek(store, -1) == 0

    async def test_uses_by_a_clock_that_was_ahead_fill_no_quota(self, open_store: OpenStore) -> None:
        store = await open_store()
        claim = Claim(A, 2, WINDOW)
        for _ in range(2):
            assert await charge(store, claim, at=365 * DAY) is None
        assert await charge(store, claim, at=365 * DAY) is not None
        assert await charge(store, claim) is None
        # A clock that is a little ahead is as good as this one.
        assert await charge(store, claim, at=CLOCKS_APART) is None
        assert await charge(store, claim) == (WINDOW // SECOND)

    async def test_a_quota_is_a_sliding_window(self, open_store: OpenStore) -> None:
        store = await open_store()
        claim = Claim(A, 2, MINUTE)
        assert await charge(store, claim) is None
        assert await charge(store, claim, at=30 * SECOND) is None
        assert await charge(store, claim, at=MINUTE - 1) == 1
        assert await charge(store, claim, at=MINUTE) is None
        assert await charge(store, claim, at=MINUTE) == 30
        assert await charge(store, claim, at=MINUTE + 30 * SECOND - 1) == 1
        assert await charge(store, claim, at=MINUTE + 30 * SECOND) is None

    async def test_the_wait_is_told_to_the_second_rounded_up(self, open_store: OpenStore) -> None:
        store = await open_store()
        claim = Claim(A, 1, MINUTE)
        await charge(store, claim)
        for at, wait in ((0, 60), (1, 60), (SECOND - 1, 60), (SECOND, 59), (59 * SECOND, 1), (MINUTE - 1, 1)):
            assert await charge(store, claim, at=at) == wait

    async def test_the_fullest_quota_says_how_long(self, open_store: OpenStore) -> None:
        store = await open_store()
        minute, hour = Claim(A, 1, MINUTE), Claim(B, 1, HOUR)
        assert await charge(store, minute, hour) is None
        assert await charge(store, minute, hour, at=SECOND) == 3599
        assert await charge(store, hour, minute, at=SECOND) == 3599
        assert await charge(store, minute, hour, at=MINUTE) == 3540

    async def test_kept_quotas_are_charged_before_the_others_and_apart_from_them(self, open_store: OpenStore) -> None:
        store = await open_store()
        pace, common, kept = Claim(A, 1, MINUTE), Claim(B, 3, HOUR), Claim(C, 2, HOUR)

        async def act(minute: int, *, known: bool) -> int | None:
            first = [pace, kept] if known else []
            return await store.write(
                lambda tx: tx.counters.charge([pace, common], after(NOW, minute * MINUTE), kept=first)
            )

        assert await act(0, known=True) is None
        # What both limit is one limit.
        assert await act(0, known=True) == 60
        assert await act(0, known=False) == 60
        assert [await act(n, known=True) for n in range(1, 5)] == [None] * 4
        # Of the five two were kept ones: those of the first two minutes. The others were asked for from the second on.
        assert await act(5, known=True) == (60 - 5) * 60
        assert await act(5, known=False) == (60 - 3) * 60
        # The kept ones of the first minutes are over an hour later, the common ones of later minutes are not.
        assert await act(60, known=False) == 2 * 60
        assert await act(60, known=True) is None

    async def test_racers_never_exceed_the_kept_and_the_common_together(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        common, kept = Claim(A, 3, HOUR), Claim(B, 2, HOUR)

        async def act(store: Store, n: int) -> int | None:
            return await store.write(lambda tx: tx.counters.charge([common], NOW, kept=[kept] if n % 2 else []))

        got = await race(stores, act, racers=CROWD)
        assert got.count(None) == 5

    async def test_parts_go_with_their_counter(self, open_store: OpenStore) -> None:
        store = await open_store()
        whole = Hit(A, HOUR, 100)
        parts = [Hit(A + byte * 32, HOUR, 100) for byte in (b"\x00", b"m", b"\xff")]
        others = [Hit(A[:-1] + b"`", HOUR, 100), Hit(A[:-1] + b"b", HOUR, 100)]

        async def tries(hits: Sequence[Hit]) -> list[int]:
            return [await store.read.counters.peek(hit.key, NOW) for hit in hits]

        for _ in range(2):
            await store.write(lambda tx: tx.counters.hit([whole, *parts, *others], NOW))
        # A refunded attempt takes nothing from parts.
        await store.write(lambda tx: tx.counters.forgive([whole.key]))
        assert await tries([whole, *parts, *others]) == [1, 2, 2, 2, 2, 2]
        await store.write(lambda tx: tx.counters.hit([whole], NOW))
        await store.write(lambda tx: tx.counters.clear([whole.key]))
        assert await tries([whole, *parts, *others]) == [0, 0, 0, 0, 2, 2]

    async def test_a_lowered_quota_waits_until_enough_has_passed(self, open_store: OpenStore) -> None:
        store = await open_store()
        for n in range(3):
            assert await charge(store, Claim(A, 3, MINUTE), at=n * 10 * SECOND) is None
        # Two of the three in the last minute must expire before one more is admitted.
        assert await charge(store, Claim(A, 2, MINUTE), at=30 * SECOND) == 40
        assert await charge(store, Claim(A, 2, MINUTE), at=70 * SECOND - 1) == 1
        assert await charge(store, Claim(A, 2, MINUTE), at=70 * SECOND) is None

    async def test_a_quota_of_none_admits_none(self, open_store: OpenStore) -> None:
        store = await open_store()
        assert await charge(store, Claim(A, 0, MINUTE)) == 60

    async def test_counts_survive_when_the_store_opens_again(self, open_store: OpenStore) -> None:
        store = await open_store()
        await hit(store)
        await charge(store, Claim(B, 1, MINUTE))
        await store.close()
        again = await open_store()
        assert (await hit(again)).tries == 2
        assert await charge(again, Claim(B, 1, MINUTE)) == 60

    async def test_a_far_future_counts_no_worse(self, open_store: OpenStore) -> None:
        """Check that instants have 64 bits: nothing wraps in the year 2262."""
        store = await open_store()
        late = Instant(2**53)
        (count,) = await store.write(lambda tx: tx.counters.hit([Hit(A, WINDOW, 1)], late))
        assert count == Count(1, late, WINDOW)
        assert await store.write(lambda tx: tx.counters.peek(A, after(late, WINDOW - 1))) == 1


TODAY = 20_000
PREFIX = "+861354428"


async def count_codes(
    store: Store, day: int = TODAY, *, prefix: str = PREFIX, sent: int = 0, verified: int = 0
) -> None:
    await store.write(lambda tx: tx.traffic.count(prefix, "+86", day, sent=sent, verified=verified))


class TrafficContract:
    """Test `menshen.ports.store.sms_traffic`."""

    async def test_no_racer_is_lost(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        await race(stores, lambda store, n: count_codes(store, sent=1, verified=n % 2))
        assert await stores[0].read.traffic.of_prefix(PREFIX, TODAY) == (RACERS, RACERS // 2)

    async def test_days_are_summed_from_the_one_asked_for(self, open_store: OpenStore) -> None:
        store = await open_store()
        for day in range(3):
            await count_codes(store, TODAY + day, sent=10**day)
        assert await store.read.traffic.of_prefix(PREFIX, TODAY) == (111, 0)
        assert await store.read.traffic.of_prefix(PREFIX, TODAY + 1) == (110, 0)
        assert await store.read.traffic.of_prefix(PREFIX, TODAY + 3) == (0, 0)
        assert await store.read.traffic.of_prefix("+86135", TODAY) == (0, 0)

    async def test_the_busiest_come_first(self, open_store: OpenStore) -> None:
        store = await open_store()
        await count_codes(store, sent=1)
        await count_codes(store, TODAY + 1, sent=1, verified=2)
        await count_codes(store, prefix="+861380013", sent=3)
        await count_codes(store, TODAY - 1, prefix="+861390013", sent=9)
        busiest = [Traffic("+861380013", "+86", 3, 0), Traffic(PREFIX, "+86", 2, 2)]
        assert await store.read.traffic.list_all(TODAY) == busiest
        assert await store.read.traffic.list_all(TODAY, limit=1) == busiest[:1]
