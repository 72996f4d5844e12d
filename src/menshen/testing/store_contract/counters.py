"""Test attempt counters and quotas: exact under races."""

from __future__ import annotations

import asyncio

from menshen.core.gates.limits import Claim, Count, Hit
from menshen.core.time import HOUR, MINUTE, SECOND, Instant, after
from menshen.ports.store.store import Store, WriteTx
from menshen.testing.store_contract.racing import OpenStore, nodes, race
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
