"""Test the stored prefixes of hashes: noted once each, found again by a walk, deleted when no longer noted."""

from __future__ import annotations

from menshen.core.login.hash_costs import LONGEST
from menshen.core.time import after
from menshen.ports.store.store import Store
from menshen.testing.store_contract.racing import OpenStore, nodes, race
from menshen.testing.store_contract.records import NOW, settle

BCRYPT, ARGON2 = "$2b$10$", "$argon2id$v=19$m=65536,t=3,p=4$"
LATER = after(NOW, 1000)


async def note(store: Store, *heads: str, now: int = NOW) -> None:
    await store.write(lambda tx: tx.hash_heads.note(heads, after(now, 0)))


class HashHeadsContract:
    """Test `menshen.ports.store.hash_costs`."""

    async def test_a_head_is_noted_once_with_its_latest_instant(self, open_store: OpenStore) -> None:
        store = await open_store()
        assert dict(await store.read.hash_heads.list_all()) == {}
        await note(store, BCRYPT, ARGON2)
        await note(store, BCRYPT, now=LATER)
        await note(store, BCRYPT, ARGON2, now=NOW)
        await note(store)
        assert dict(await store.read.hash_heads.list_all()) == {ARGON2: NOW, BCRYPT: LATER}

    async def test_nodes_that_note_together_all_find_it(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        await race(stores, lambda store, n: note(store, *(BCRYPT, ARGON2)[:: 1 if n % 2 else -1], now=NOW + n))
        for store in stores:
            assert set(await store.read.hash_heads.list_all()) == {BCRYPT, ARGON2}

    async def test_only_what_nobody_noted_since_is_forgotten(self, open_store: OpenStore) -> None:
        store = await open_store()
        await note(store, BCRYPT, ARGON2)
        await note(store, ARGON2, now=LATER)
        await store.write(lambda tx: tx.hash_heads.forget([BCRYPT, ARGON2, "$2y$04$"], noted_by=NOW))
        assert dict(await store.read.hash_heads.list_all()) == {ARGON2: LATER}
        await store.write(lambda tx: tx.hash_heads.forget([ARGON2], noted_by=LATER))
        assert dict(await store.read.hash_heads.list_all()) == {}

    async def test_a_walk_meets_every_account_in_the_order_of_numbers(self, open_store: OpenStore) -> None:
        store = await open_store()
        assert list(await store.read.hash_heads.walk(0, most=10)) == []
        accounts = [await settle(store, f"user{n}") for n in range(5)]
        numbers = [account.number for account in accounts]
        await store.write(lambda tx: tx.accounts.set_password(numbers[1], BCRYPT + "x" * 53, now=NOW))
        await store.write(lambda tx: tx.accounts.set_password(numbers[3], ARGON2 + "y" * 66, now=NOW))
        first = list(await store.read.hash_heads.walk(0, most=3))
        assert [number for number, _ in first] == numbers[:3]
        assert first[1][1] == (BCRYPT + "x" * 53)[:LONGEST]
        rest = list(await store.read.hash_heads.walk(first[-1][0], most=3))
        assert [number for number, _ in rest] == numbers[3:]
        assert rest[0][1] == (ARGON2 + "y" * 66)[:LONGEST]
