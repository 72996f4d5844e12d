"""Test agreements: of racers one writes a version, and it stays with its account."""

from __future__ import annotations

from dataclasses import replace

from menshen.core.account.agreements import AgreedTerms
from menshen.core.time import after
from menshen.ports.store.store import Store
from menshen.testing.store_contract.racing import RACERS, OpenStore, nodes, race
from menshen.testing.store_contract.records import NOW, left_at_default, settle

TERMS = AgreedTerms("terms", "2026年 1", 3, NOW, "192.0.2.7")


async def add(store: Store, number: int, agreed: AgreedTerms) -> bool:
    return await store.write(lambda tx: tx.agreements.add(number, agreed))


class AgreementsContract:
    """Test `menshen.ports.store.owner.agreements`."""

    async def test_an_agreement_comes_back_as_it_went_in(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice, bob = await settle(store, "alice"), await settle(store, "bob")
        assert left_at_default(TERMS) == []
        newer = AgreedTerms("abroad", "1", 4, after(NOW, 1), "2001:db8::1")
        assert await add(store, alice.number, TERMS)
        assert await add(store, alice.number, newer)
        assert list(await store.read.agreements.list_of(alice.number)) == [newer, TERMS]
        assert list(await store.read.agreements.list_of(bob.number)) == []

    async def test_a_version_that_stands_is_not_written_again(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice = await settle(stores[0], "alice")
        got = await race(
            stores, lambda store, n: add(store, alice.number, replace(TERMS, at=after(NOW, n), ip=f"192.0.2.{n}"))
        )
        assert sorted(got) == [*[False] * (RACERS - 1), True]
        (kept,) = await stores[1].read.agreements.list_of(alice.number)
        assert kept.ip == f"192.0.2.{got.index(True)}"
        assert kept.at == after(NOW, got.index(True))
        for other in (replace(TERMS, app_id=4), replace(TERMS, kind="abroad"), replace(TERMS, version="2")):
            assert await add(stores[0], alice.number, other)
            assert not await add(stores[1], alice.number, replace(other, at=after(NOW, 99)))
        assert len(await stores[1].read.agreements.list_of(alice.number)) == 4

    async def test_agreements_are_forgotten_with_their_account_alone(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice, bob = await settle(store, "alice"), await settle(store, "bob")
        for who in (alice, bob):
            assert await add(store, who.number, TERMS)
        await store.write(lambda tx: tx.upkeep.raise_epoch(NOW))
        assert list(await store.read.agreements.list_of(alice.number)) == [TERMS], "an epoch ends no agreement"
        await store.write(lambda tx: tx.agreements.forget_all(alice.number))
        assert list(await store.read.agreements.list_of(alice.number)) == []
        assert list(await store.read.agreements.list_of(bob.number)) == [TERMS]

    async def test_so_many_agreements_are_listed(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        for n in range(205):
            await add(store, alice.number, replace(TERMS, version=str(n), at=after(NOW, n)))
        listed = await store.read.agreements.list_of(alice.number)
        assert [one.version for one in listed] == [str(n) for n in range(204, 4, -1)]
