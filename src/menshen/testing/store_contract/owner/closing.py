"""Test what an owner does to the account's row: closing with days of grace, and removing a phone or email."""

from __future__ import annotations

from menshen.core.account.accounts import Status
from menshen.core.identifiers import Identifier, Kind
from menshen.core.time import DAY, NEVER, Instant, after
from menshen.ports.store.store import Store
from menshen.testing.store_contract.racing import RACERS, OpenStore, nodes, race
from menshen.testing.store_contract.records import NOW, settle

PHONE, EMAIL = "+8613544285662", "kevin@b.example"
CLOSES = after(NOW, 30 * DAY)
LATER = after(NOW, 1000)


async def set_closing(store: Store, number: int, closes_at: Instant) -> bool:
    return await store.write(lambda tx: tx.accounts.set_closing(number, closes_at, now=LATER))


async def drop(store: Store, number: int, kind: Kind) -> bool:
    return await store.write(lambda tx: tx.accounts.drop_identifier(number, kind, now=LATER))


class ClosingContract:
    """Test `set_closing`, `due_to_close` and `drop_identifier` of `menshen.ports.store.accounts`."""

    async def test_a_closing_is_noted_and_taken_back_once(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice, bob = await settle(stores[0], "alice"), await settle(stores[0], "bob")
        got = await race(stores, lambda store, n: set_closing(store, alice.number, after(CLOSES, n)))
        assert got.count(True) == 1
        found = await stores[1].read.accounts.find(alice.number)
        assert found is not None
        assert (found.closes_at, found.updated_at) == (after(CLOSES, got.index(True)), LATER)
        assert await stores[0].read.accounts.find(bob.number) == bob
        taken = await race(stores, lambda store, _: set_closing(store, alice.number, NEVER))
        assert sorted(taken) == [*[False] * (RACERS - 1), True]
        assert await stores[0].write(lambda tx: tx.accounts.close(bob.number, now=NOW))
        assert not await set_closing(stores[0], bob.number, CLOSES)

    async def test_accounts_are_due_when_their_day_has_come(self, open_store: OpenStore) -> None:
        store = await open_store()
        numbers = [(await settle(store, f"a{n}")).number for n in range(4)]
        for n, number in enumerate(numbers[:3]):
            assert await set_closing(store, number, after(CLOSES, -n))
        assert list(await store.read.accounts.due_to_close(after(CLOSES, -3), limit=9)) == []
        assert list(await store.read.accounts.due_to_close(CLOSES, limit=9)) == numbers[2::-1]
        assert list(await store.read.accounts.due_to_close(after(CLOSES, -1), limit=1)) == [numbers[2]]
        # A disabled one is due as well; a closed one closes no more.
        assert await store.write(lambda tx: tx.accounts.set_status(numbers[0], Status.DISABLED, now=NOW))
        assert await store.write(lambda tx: tx.accounts.close(numbers[1], now=NOW))
        assert list(await store.read.accounts.due_to_close(CLOSES, limit=9)) == [numbers[2], numbers[0]]
        closed = await store.read.accounts.find(numbers[1])
        assert closed is not None
        assert closed.closes_at == NEVER

    async def test_of_two_proved_identifiers_one_stays_whoever_races(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice = await settle(stores[0], "alice", phone=PHONE, phone_verified=True, email=EMAIL, email_verified=True)
        got = await race(stores, lambda store, n: drop(store, alice.number, (Kind.PHONE, Kind.EMAIL)[n % 2]))
        assert got.count(True) == 1
        found = await stores[1].read.accounts.find(alice.number)
        assert found is not None
        assert len(found.proved) == 1
        assert found.updated_at == LATER
        (left,) = found.proved
        kind = Kind.PHONE if left == PHONE else Kind.EMAIL
        gone = Identifier(Kind.EMAIL, EMAIL) if left == PHONE else Identifier(Kind.PHONE, PHONE)
        assert not await drop(stores[0], alice.number, kind), "the last one stays"
        assert not await drop(stores[0], alice.number, gone.kind), "there is none any more"
        assert await stores[0].read.accounts.find_owner(gone) is None

    async def test_what_is_not_proved_may_go_and_keeps_nothing(self, open_store: OpenStore) -> None:
        store = await open_store()
        claims = await settle(store, "claims", phone=PHONE, email=EMAIL)
        assert await drop(store, claims.number, Kind.EMAIL)
        assert await drop(store, claims.number, Kind.PHONE)
        half = await settle(store, "half", phone=PHONE, phone_verified=True, email=EMAIL)
        assert not await drop(store, half.number, Kind.PHONE), "an unproved email is no way in"
        assert await drop(store, half.number, Kind.EMAIL)
        assert await store.write(lambda tx: tx.accounts.close(half.number, now=NOW))
        assert not await drop(store, half.number, Kind.PHONE)
