"""Test the counts of codes sent and verified, by prefix and day."""

from __future__ import annotations

from menshen.core.codes.sms_traffic import Traffic
from menshen.ports.store.store import Store
from menshen.testing.store_contract.racing import RACERS, OpenStore, nodes, race

TODAY = 20_000
PREFIX = "+861354428"


async def count(store: Store, day: int = TODAY, *, prefix: str = PREFIX, sent: int = 0, verified: int = 0) -> None:
    await store.write(lambda tx: tx.traffic.count(prefix, "+86", day, sent=sent, verified=verified))


class TrafficContract:
    """Test `menshen.ports.store.sms_traffic`."""

    async def test_no_racer_is_lost(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        await race(stores, lambda store, n: count(store, sent=1, verified=n % 2))
        assert await stores[0].read.traffic.of_prefix(PREFIX, TODAY) == (RACERS, RACERS // 2)

    async def test_days_are_summed_from_the_one_asked_for(self, open_store: OpenStore) -> None:
        store = await open_store()
        for day in range(3):
            await count(store, TODAY + day, sent=10**day)
        assert await store.read.traffic.of_prefix(PREFIX, TODAY) == (111, 0)
        assert await store.read.traffic.of_prefix(PREFIX, TODAY + 1) == (110, 0)
        assert await store.read.traffic.of_prefix(PREFIX, TODAY + 3) == (0, 0)
        assert await store.read.traffic.of_prefix("+86135", TODAY) == (0, 0)

    async def test_the_busiest_come_first(self, open_store: OpenStore) -> None:
        store = await open_store()
        await count(store, sent=1)
        await count(store, TODAY + 1, sent=1, verified=2)
        await count(store, prefix="+861380013", sent=3)
        await count(store, TODAY - 1, prefix="+861390013", sent=9)
        busiest = [Traffic("+861380013", "+86", 3, 0), Traffic(PREFIX, "+86", 2, 2)]
        assert await store.read.traffic.list_all(TODAY) == busiest
        assert await store.read.traffic.list_all(TODAY, limit=1) == busiest[:1]
