"""Test factors of plug-ins and recovery codes: one secret of a kind, and each proof good once."""

from __future__ import annotations

from menshen.core.time import Instant, after
from menshen.ports.store.proofs.factors import StoredFactor
from menshen.ports.store.store import Store, WriteTx
from menshen.testing.store_contract.proofs.records import BEGUN, CODES, CROWD, KIND, SECRET, SOON, enrol_in
from menshen.testing.store_contract.racing import OpenStore, nodes, race
from menshen.testing.store_contract.records import NOW, settle

LATER = after(NOW, 1000)


async def begin(store: Store, number: int, secret: bytes = BEGUN, until: Instant = SOON, kind: str = KIND) -> None:
    await store.write(lambda tx: tx.factors.begin(number, kind, secret, until))


async def confirm(store: Store, number: int, secret: bytes = BEGUN, *, counter: int = 9, now: Instant = LATER) -> bool:
    return await store.write(lambda tx: tx.factors.confirm(number, KIND, secret, counter=counter, now=now))


async def advance(store: Store, number: int, counter: int, secret: bytes = SECRET) -> bool:
    return await store.write(lambda tx: tx.factors.advance(number, KIND, secret, counter=counter, now=LATER))


async def spend(store: Store, number: int, mac: bytes) -> bool:
    return await store.write(lambda tx: tx.recovery_codes.spend(number, mac, LATER))


class FactorsContract:
    """Test `menshen.ports.store.proofs.factors`."""

    async def test_a_factor_comes_back_as_it_went_in(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice, bob = await settle(store, "alice"), await settle(store, "bob")
        await begin(store, alice.number)
        began = StoredFactor(KIND, begun=BEGUN, begun_until=SOON)
        assert await store.read.factors.find(alice.number, KIND) == began
        assert await confirm(store, alice.number)
        assert await advance(store, alice.number, 10, BEGUN)
        await begin(store, alice.number, b"another")
        await begin(store, alice.number, b"card", kind="card")
        full = StoredFactor(KIND, BEGUN, 10, LATER, LATER, b"another", SOON)
        assert await store.read.factors.find(alice.number, KIND) == full
        card = StoredFactor("card", begun=b"card", begun_until=SOON)
        assert await store.read.factors.list_of(alice.number) == [card, full]
        assert await store.read.factors.find(alice.number, "tot") is None
        assert await store.read.factors.find(bob.number, KIND) is None
        assert list(await store.read.factors.list_of(bob.number)) == []

    async def test_an_enrolment_takes_the_place_of_an_older_one_and_leaves_the_secret(
        self, open_store: OpenStore
    ) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        await store.write(lambda tx: enrol_in(tx, alice))
        await begin(store, alice.number, b"first")
        await begin(store, alice.number, b"second")
        assert not await confirm(store, alice.number, b"first")
        assert not await confirm(store, alice.number, SECRET)
        assert await advance(store, alice.number, 6)
        assert await confirm(store, alice.number, b"second", counter=2)
        # The new secret has a counter of its own, and the old secret proves nothing any more.
        assert not await advance(store, alice.number, 7)
        assert await advance(store, alice.number, 3, b"second")

    async def test_an_enrolment_is_over_at_its_end(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        await begin(store, alice.number)
        assert not await confirm(store, alice.number, now=SOON)
        assert await confirm(store, alice.number, now=after(SOON, -1))

    async def test_of_racers_that_confirm_one_enrolment_one_does(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice = await settle(stores[0], "alice")
        await begin(stores[0], alice.number)
        won = await race(stores, lambda store, n: confirm(store, alice.number, counter=n), racers=CROWD)
        assert won.count(True) == 1
        found = await stores[1].read.factors.find(alice.number, KIND)
        assert found == StoredFactor(KIND, BEGUN, won.index(True), LATER)

    async def test_of_racers_that_begin_and_confirm_one_secret_stands(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice = await settle(stores[0], "alice")

        async def enrol(store: Store, n: int) -> bool:
            secret = b"secret%d" % n
            await begin(store, alice.number, secret)
            return await confirm(store, alice.number, secret, counter=n)

        won = await race(stores, enrol, racers=CROWD)
        found = await stores[1].read.factors.find(alice.number, KIND)
        assert found is not None
        assert won[found.counter]
        assert found.sealed == b"secret%d" % found.counter

    async def test_of_racers_with_one_counter_one_advances(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice = await settle(stores[0], "alice")
        await stores[0].write(lambda tx: enrol_in(tx, alice))
        won = await race(stores, lambda store, _: advance(store, alice.number, 6), racers=CROWD)
        assert won.count(True) == 1
        # Of different ones at once, none is good after a higher one.
        passed: list[int] = []

        async def try_one(store: Store, n: int) -> None:
            if await advance(store, alice.number, 7 + n % 5):
                passed.append(7 + n % 5)

        await race(stores, try_one, racers=CROWD)
        assert len(passed) == len(set(passed))
        assert max(passed) == 11
        for counter in (11, 10, 6, 5, 0):
            assert not await advance(stores[0], alice.number, counter)
        assert not await advance(stores[0], alice.number, 12, BEGUN)

    async def test_only_a_confirmed_factor_is_removed(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice, bob = await settle(store, "alice"), await settle(store, "bob")
        for account in (alice, bob):
            await store.write(lambda tx, account=account: enrol_in(tx, account))  # type: ignore[misc]
        await begin(store, alice.number, kind="card")
        assert not await store.write(lambda tx: tx.factors.remove(alice.number, "card"))
        assert await store.write(lambda tx: tx.factors.remove(alice.number, KIND))
        assert not await store.write(lambda tx: tx.factors.remove(alice.number, KIND))
        assert [each.kind for each in await store.read.factors.list_of(alice.number)] == ["card"]
        assert await store.write(lambda tx: tx.factors.remove_all(alice.number)) == 1
        assert await store.write(lambda tx: tx.factors.remove_all(alice.number)) == 0
        assert len(await store.read.factors.list_of(bob.number)) == 1


class RecoveryCodesContract:
    """Test `menshen.ports.store.proofs.recovery_codes`."""

    async def test_of_racers_with_one_recovery_code_one_spends_it(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice = await settle(stores[0], "alice")
        await stores[0].write(lambda tx: tx.recovery_codes.replace(alice.number, CODES, NOW))
        won = await race(stores, lambda store, _: spend(store, alice.number, CODES[3]), racers=CROWD)
        assert won.count(True) == 1
        assert await stores[1].read.recovery_codes.left(alice.number) == len(CODES) - 1
        won = await race(stores, lambda store, n: spend(store, alice.number, CODES[n % 10]), racers=CROWD)
        assert won.count(True) == len(CODES) - 1
        assert await stores[0].read.recovery_codes.left(alice.number) == 0

    async def test_a_code_of_another_account_stays_unused(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice, bob = await settle(store, "alice"), await settle(store, "bob")
        for account in (alice, bob):
            await store.write(lambda tx, account=account: tx.recovery_codes.replace(account.number, CODES, NOW))  # type: ignore[misc]
        await store.write(lambda tx: tx.recovery_codes.replace(bob.number, [b"bob's"], NOW))
        held = [await store.read.recovery_codes.holds(each.number, b"bob's") for each in (alice, bob)]
        assert held == [False, True]
        assert not await spend(store, alice.number, b"bob's")
        assert await store.read.recovery_codes.left(bob.number) == 1
        assert await spend(store, alice.number, CODES[0])
        assert await spend(store, bob.number, b"bob's")
        assert not await store.read.recovery_codes.holds(bob.number, b"bob's")
        assert not await spend(store, bob.number, CODES[1])

    async def test_a_new_set_of_codes_kills_the_old_one(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        assert await store.read.recovery_codes.left(alice.number) == 0
        await store.write(lambda tx: tx.recovery_codes.replace(alice.number, CODES, NOW))
        assert await spend(store, alice.number, CODES[0])
        # A new one may be like one that was spent.
        await store.write(lambda tx: tx.recovery_codes.replace(alice.number, [CODES[0], b"new"], LATER))
        assert await store.read.recovery_codes.left(alice.number) == 2
        assert not await spend(store, alice.number, CODES[1])
        assert await spend(store, alice.number, CODES[0])
        await store.write(lambda tx: tx.recovery_codes.remove_all(alice.number))
        assert await store.read.recovery_codes.left(alice.number) == 0
        assert not await spend(store, alice.number, b"new")

    async def test_of_sets_made_at_once_one_stands_whole(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice = await settle(stores[0], "alice")
        sets = [[b"%d of %d" % (place, n) for place in range(10)] for n in range(CROWD)]

        async def make(store: Store, n: int) -> None:
            async def work(tx: WriteTx) -> None:
                assert await tx.accounts.hold(alice.number)
                await tx.recovery_codes.replace(alice.number, sets[n], NOW)

            await store.write(work)

        await race(stores, make, racers=CROWD)
        assert await stores[1].read.recovery_codes.left(alice.number) == 10
        good = [[await spend(stores[0], alice.number, mac) for mac in some] for some in sets]
        assert sorted(map(sum, good)) == [0] * (CROWD - 1) + [10]
