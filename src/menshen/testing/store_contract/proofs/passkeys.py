"""Test passkeys: a credential belongs to one account, and each use is compared and set."""

from __future__ import annotations

from dataclasses import replace

from menshen.core.account.accounts import Account
from menshen.core.factors.passkeys import Passkey
from menshen.core.time import Instant, after
from menshen.core.tokens import digest
from menshen.ports.store.store import Store
from menshen.testing.store_contract.proofs.records import CROWD, HANDLE, passkey_of
from menshen.testing.store_contract.racing import OpenStore, nodes, race
from menshen.testing.store_contract.records import NOW, left_at_default, settle

LATER = after(NOW, 1000)


async def add(store: Store, passkey: Passkey) -> bool:
    return await store.write(lambda tx: tx.passkeys.add(passkey))


async def use(store: Store, passkey: Passkey, counter: int, now: Instant = LATER, *, backed_up: bool = False) -> bool:
    return await store.write(lambda tx: tx.passkeys.use(passkey, counter=counter, backed_up=backed_up, now=now))


async def start(open_store: OpenStore, **given: object) -> tuple[list[Store], Account, Passkey]:
    """Two stores, and an account with one passkey."""
    stores = await nodes(open_store)
    alice = await settle(stores[0], "alice")
    passkey = passkey_of(alice, "key", **given)
    assert await add(stores[0], passkey)
    return stores, alice, passkey


class PasskeysContract:
    """Test `menshen.ports.store.proofs.passkeys`."""

    async def test_a_passkey_comes_back_as_it_went_in(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice, bob = await settle(store, "alice"), await settle(store, "bob")
        full = passkey_of(alice, "one", synced=True, step_only=True, used_at=LATER)
        other = passkey_of(alice, "two", counter=2**32 - 1, backed_up=True, created_at=after(NOW, -1))
        assert left_at_default(full) == []
        for each in (full, other, passkey_of(bob, "bob's")):
            assert await add(store, each)
        for each in (full, other):
            found = await store.read.passkeys.find(each.credential)
            assert found == each
            assert type(found.credential) is type(found.public_key) is bytes
            assert type(found.synced) is type(found.backed_up) is type(found.step_only) is bool
        assert await store.read.passkeys.list_of(alice.number) == [other, full]
        for unknown in (b"", digest("nobody's"), full.credential[:-1], full.credential + b"\0"):
            assert await store.read.passkeys.find(unknown) is None

    async def test_a_credential_belongs_to_one_account_whoever_races(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        accounts = [await settle(stores[0], f"user{n}") for n in range(5)]

        async def register(store: Store, n: int) -> bool:
            return await add(store, passkey_of(accounts[n % 5], f"key{n}", credential=digest("same")))

        won = await race(stores, register, racers=CROWD)
        assert won.count(True) == 1
        found = await stores[1].read.passkeys.find(digest("same"))
        assert found is not None
        assert (found.passkey_id, found.account_number) == (f"key{won.index(True)}", won.index(True) % 5 + 1)

    async def test_of_racers_that_read_one_counter_one_uses_it(self, open_store: OpenStore) -> None:
        stores, _, passkey = await start(open_store)
        won = await race(stores, lambda store, n: use(store, passkey, 8, backed_up=n % 2 == 1), racers=CROWD)
        assert won.count(True) == 1
        used = replace(passkey, counter=8, backed_up=won.index(True) % 2 == 1, used_at=LATER)
        assert await stores[1].read.passkeys.find(passkey.credential) == used
        # What was read before is not what is there.
        assert not await use(stores[0], passkey, 9)
        assert not await use(stores[0], replace(passkey, counter=8), 9)
        assert await use(stores[0], used, 9)

    async def test_a_key_that_never_counts_is_compared_by_its_last_use(self, open_store: OpenStore) -> None:
        stores, _, passkey = await start(open_store, counter=0)
        for now in (LATER, LATER, NOW):
            found = await stores[0].read.passkeys.find(passkey.credential)
            assert found is not None
            # Also where the clock stands, or went back.
            won = await race(stores, lambda store, _, found=found, now=now: use(store, found, 0, now))  # type: ignore[misc]
            assert won.count(True) == 1
        found = await stores[0].read.passkeys.find(passkey.credential)
        assert found is not None
        assert found.used_at == after(LATER, 2)

    async def test_a_removed_passkey_is_not_used(self, open_store: OpenStore) -> None:
        stores, alice, passkey = await start(open_store)
        got = await race(
            stores,
            lambda store, n: (
                store.write(lambda tx: tx.passkeys.remove("key", alice.number)) if n % 2 else use(store, passkey, 8)
            ),
            racers=CROWD,
        )
        assert got[1::2].count(True) == 1
        assert got[::2].count(True) <= 1
        assert not await use(stores[0], passkey, 8)
        assert await stores[1].read.passkeys.find(passkey.credential) is None

    async def test_a_passkey_is_renamed_and_removed_by_its_own_account_only(self, open_store: OpenStore) -> None:
        (store, _), alice, passkey = await start(open_store)
        bob = await settle(store, "bob")
        assert not await store.write(lambda tx: tx.passkeys.rename("key", bob.number, "mine"))
        assert not await store.write(lambda tx: tx.passkeys.remove("key", bob.number))
        assert await store.read.passkeys.list_of(alice.number) == [passkey]
        assert await store.write(lambda tx: tx.passkeys.rename("key", alice.number, "办公室"))
        assert await store.read.passkeys.list_of(alice.number) == [replace(passkey, name="办公室")]
        await add(store, passkey_of(alice, "second"))
        await add(store, passkey_of(bob, "bob's"))
        assert await store.write(lambda tx: tx.passkeys.remove_all(alice.number)) == 2
        assert await store.write(lambda tx: tx.passkeys.remove_all(alice.number)) == 0
        assert len(await store.read.passkeys.list_of(bob.number)) == 1
        # Its credential is free again.
        assert await add(store, passkey_of(bob, "again", credential=passkey.credential))

    async def test_an_account_has_one_user_handle_whoever_races(self, open_store: OpenStore) -> None:
        stores, alice, _ = await start(open_store)
        bob = await settle(stores[0], "bob")
        assert await stores[0].read.passkeys.handle_of(alice.number) == b""

        async def keep(store: Store, n: int) -> bytes:
            return await store.write(lambda tx: tx.passkeys.keep_handle(alice.number, HANDLE + bytes((n,))))

        got = await race(stores, keep, racers=CROWD)
        assert len(set(got)) == 1
        handle = await stores[1].read.passkeys.handle_of(alice.number)
        assert handle == got[0]
        # It outlives its passkeys, and ends with the account.
        await stores[0].write(lambda tx: tx.passkeys.remove_all(alice.number))
        await stores[0].write(lambda tx: tx.passkeys.forget_handle(bob.number))
        assert await stores[0].read.passkeys.handle_of(alice.number) == handle
        await stores[0].write(lambda tx: tx.passkeys.forget_handle(alice.number))
        assert await stores[0].read.passkeys.handle_of(alice.number) == b""

    async def test_accounts_are_counted_for_each_rp_id(self, open_store: OpenStore) -> None:
        (store, _), alice, _ = await start(open_store)
        bob = await settle(store, "bob")
        await add(store, passkey_of(alice, "second"))
        await add(store, passkey_of(bob, "bob's"))
        await add(store, passkey_of(bob, "old", rp_id="old.example"))
        assert await store.read.passkeys.rp_ids() == {"login.example": 2, "old.example": 1}
