"""Test trusted devices: each use replaces the token, and a token that was replaced revokes its device."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from menshen.core.account.accounts import Account
from menshen.core.factors.trusted_devices import MOST, TrustedDevice
from menshen.core.time import DAY, after
from menshen.core.tokens import digest
from menshen.ports.store.store import Store, WriteTx
from menshen.testing.store_contract.proofs.records import CROWD, trusted_of
from menshen.testing.store_contract.racing import OpenStore, nodes, race
from menshen.testing.store_contract.records import NOW, left_at_default, settle

LATER = after(NOW, 1000)
FIRST = digest("first")


async def add(store: Store, device: TrustedDevice, token: bytes = FIRST, most: int = MOST) -> None:
    async def work(tx: WriteTx) -> None:
        assert await tx.accounts.hold(device.account_number)
        await tx.trusted_devices.add(device, token, most=most)

    await store.write(work)


async def use(store: Store, account: Account, token: bytes, new: str, **given: Any) -> TrustedDevice | None:
    asked: dict[str, Any] = {"account_number": account.number, "app_id": 3, "device": digest("device"), "now": LATER}
    return await store.write(lambda tx: tx.trusted_devices.use(token, digest(new), **asked | given))


async def revoke(store: Store, token: bytes) -> tuple[str, int] | None:
    return await store.write(lambda tx: tx.trusted_devices.revoke_spent(token))


async def trusted(store: Store, account: Account) -> list[str]:
    return [each.trust_id for each in await store.read.trusted_devices.list_of(account.number, NOW)]


class TrustedDevicesContract:
    """Test `menshen.ports.store.proofs.trusted_devices`."""

    async def test_a_trusted_device_comes_back_as_it_went_in(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice, bob = await settle(store, "alice"), await settle(store, "bob")
        full = trusted_of(alice, "one", used_at=LATER)
        assert left_at_default(full) == []
        newer = trusted_of(alice, "two", device=b"", created_at=LATER)
        await add(store, full)
        await add(store, newer, digest("of two"))
        await add(store, trusted_of(bob, "bob's"), digest("of bob"))
        listed = await store.read.trusted_devices.list_of(alice.number, NOW)
        assert listed == [newer, full]
        assert type(listed[0].device) is type(listed[1].device) is bytes
        assert list(await store.read.trusted_devices.list_of(alice.number, full.expires_at)) == []

    async def test_of_racers_with_one_trust_token_one_uses_it(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice = await settle(stores[0], "alice")
        device = trusted_of(alice, "one")
        await add(stores[0], device)
        got = await race(stores, lambda store, n: use(store, alice, FIRST, f"new{n}"), racers=CROWD)
        used = [each for each in got if each]
        assert used == [replace(device, used_at=LATER)]
        assert await stores[1].read.trusted_devices.list_of(alice.number, NOW) == used
        # The winner's new token is the one that is good now.
        winner = got.index(used[0])
        for n in range(CROWD):
            found = await use(stores[0], alice, digest(f"new{n}"), f"next{n}")
            assert (found is not None) == (n == winner)

    async def test_a_trust_token_belongs_to_one_account_app_and_device(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice, bob = await settle(store, "alice"), await settle(store, "bob")
        await add(store, trusted_of(alice, "one"))
        assert await use(store, bob, FIRST, "new") is None
        for other in ({"app_id": 4}, {"device": b""}, {"device": digest("another")}, {"now": after(NOW, 30 * DAY)}):
            assert await use(store, alice, FIRST, "new", **other) is None
        for unknown in (b"", b"first", digest("new"), FIRST[:-1], FIRST + b"\0"):
            assert await use(store, alice, unknown, "new") is None
            assert await revoke(store, unknown) is None
        # None of that touched it, and no token was spent.
        assert await revoke(store, FIRST) is None
        assert await use(store, alice, FIRST, "new", now=after(NOW, 30 * DAY - 1)) is not None

    async def test_a_token_that_was_replaced_revokes_its_device_once(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice = await settle(stores[0], "alice")
        await add(stores[0], trusted_of(alice, "one"))
        await add(stores[0], trusted_of(alice, "two"), digest("of two"))
        assert await use(stores[0], alice, FIRST, "second") is not None
        assert await use(stores[1], alice, digest("second"), "third") is not None
        # Also the first of several that were replaced. The present one is none of them.
        assert await revoke(stores[0], digest("third")) is None
        got = await race(stores, lambda store, n: revoke(store, (FIRST, digest("second"))[n % 2]), racers=CROWD)
        assert [each for each in got if each] == [("one", alice.number)]
        assert await use(stores[1], alice, digest("third"), "fourth") is None
        assert await trusted(stores[1], alice) == ["two"]

    async def test_of_racing_devices_so_many_stay_trusted(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice, bob = await settle(stores[0], "alice"), await settle(stores[0], "bob")
        await add(stores[0], trusted_of(bob, "bob's", created_at=after(NOW, -1)), digest("of bob"))

        async def trust(store: Store, n: int) -> None:
            await add(store, trusted_of(alice, f"d{n}"), digest(f"t{n}"), most=4)

        await race(stores, trust, racers=CROWD)
        assert len(await trusted(stores[1], alice)) == 4
        assert await trusted(stores[1], bob) == ["bob's"]

    async def test_the_oldest_trusted_device_makes_room_and_dead_ones_keep_none(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        ahead = after(NOW, DAY)
        await add(store, trusted_of(alice, "old", created_at=ahead), digest("old"), most=2)
        await store.write(lambda tx: tx.upkeep.raise_epoch(NOW))
        await add(store, trusted_of(alice, "over", created_at=ahead, expires_at=NOW), digest("over"), most=2)
        for n, left in ((2, ["d2"]), (1, ["d2", "d1"]), (3, ["d3", "d2"])):
            await add(store, trusted_of(alice, f"d{n}", created_at=after(NOW, n)), digest(f"t{n}"), most=2)
            assert await trusted(store, alice) == left

    async def test_trust_is_ended_by_its_own_account_only(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice, bob = await settle(stores[0], "alice"), await settle(stores[0], "bob")
        for who, name in ((alice, "one"), (alice, "two"), (alice, "three"), (bob, "bob's")):
            await add(stores[0], trusted_of(who, name), digest(name))
        assert not await stores[0].write(lambda tx: tx.trusted_devices.end("one", bob.number))
        won = await race(stores, lambda store, _: store.write(lambda tx: tx.trusted_devices.end("one", alice.number)))
        assert won.count(True) == 1
        assert await use(stores[0], alice, digest("one"), "new") is None
        assert sorted(await trusted(stores[1], alice)) == ["three", "two"]
        got = await race(stores, lambda store, _: store.write(lambda tx: tx.trusted_devices.end_all(alice.number)))
        assert sum(got) == 2
        assert await trusted(stores[0], alice) == []
        assert await trusted(stores[0], bob) == ["bob's"]
