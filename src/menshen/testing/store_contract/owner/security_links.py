"""Test links that say "that was not me": each is good once, for its time, in its epoch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from menshen.core.account.accounts import Account
from menshen.core.account.security_links import LIFETIME, SecurityLink
from menshen.core.time import HOUR, Instant, after
from menshen.core.tokens import digest
from menshen.ports.store.store import Store
from menshen.testing.store_contract.racing import OpenStore, nodes, race
from menshen.testing.store_contract.records import NOW, left_at_default, settle

LATER = after(NOW, 1000)
FIRST = digest("first")
CROWD = 50


def link_of(account: Account, **given: Any) -> SecurityLink:
    fields: dict[str, Any] = {
        "account_number": account.number,
        "session_id": "the session",
        "mailbox": b"mailbox",
        "created_at": NOW,
        "expires_at": after(NOW, LIFETIME),
    }
    return SecurityLink(**fields | given)


async def add(store: Store, link: SecurityLink, key: bytes = FIRST) -> None:
    await store.write(lambda tx: tx.security_links.add(key, link))


async def burn(store: Store, key: bytes = FIRST, now: Instant = LATER) -> SecurityLink | None:
    return await store.write(lambda tx: tx.security_links.burn(key, now))


class SecurityLinksContract:
    """Test `menshen.ports.store.owner.security_links`."""

    async def test_a_link_comes_back_as_it_went_in(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        full = link_of(alice, used_at=LATER)
        assert left_at_default(full) == []
        await add(store, full)
        await add(store, link_of(alice, session_id="", mailbox=b""), digest("second"))
        # One that is there stays as it is.
        await add(store, link_of(alice, session_id="another"))
        found = await store.read.security_links.find(FIRST)
        assert found == full
        assert type(found.mailbox) is bytes
        assert await store.read.security_links.find(digest("second")) == link_of(alice, session_id="", mailbox=b"")
        for unknown in (b"", b"first", FIRST[:-1], FIRST + b"\0"):
            assert await store.read.security_links.find(unknown) is None
            assert await burn(store, unknown) is None

    async def test_of_racers_with_one_link_one_burns_it(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice = await settle(stores[0], "alice")
        await add(stores[0], link_of(alice))
        got = await race(stores, lambda store, _: burn(store), racers=CROWD)
        assert [one for one in got if one] == [link_of(alice, used_at=LATER)]
        assert await burn(stores[1]) is None
        assert await stores[1].read.security_links.find(FIRST) == link_of(alice, used_at=LATER)

    async def test_a_link_ends_to_the_millisecond_and_with_the_epoch(self, open_store: OpenStore) -> None:
        store, other = await open_store(), await open_store()
        alice = await settle(store, "alice")
        await add(store, link_of(alice))
        await add(store, link_of(alice), digest("second"))
        assert await burn(store, now=after(NOW, LIFETIME)) is None
        assert await burn(store, now=after(NOW, LIFETIME - 1)) is not None
        await other.write(lambda tx: tx.upkeep.raise_epoch(NOW))
        assert await burn(store, digest("second")) is None
        assert await store.read.security_links.find(digest("second")) is None
        await add(store, link_of(alice), digest("third"))
        while await store.write(lambda tx: tx.upkeep.clear_epochs(batch=1)) is not None:
            pass
        assert await burn(store, digest("third")) is not None
        assert await store.write(lambda tx: tx.security_links.remove_all(alice.number)) == 1, "the old ones are cleared"

    async def test_links_are_swept_and_go_with_their_account_alone(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice, bob = await settle(store, "alice"), await settle(store, "bob")
        over = link_of(alice, expires_at=after(NOW, -2 * HOUR))
        for n in range(3):
            await add(store, over, digest(f"over {n}"))
        await add(store, replace(over, expires_at=after(over.expires_at, 1)), digest("just"))
        await add(store, link_of(bob), digest("bob's"))
        swept = [await store.write(lambda tx: tx.upkeep.sweep(NOW, audit_days=180, batch=2)) for _ in range(3)]
        assert swept == [2, 1, 0]
        assert await store.write(lambda tx: tx.security_links.remove_all(alice.number)) == 1
        assert await store.read.security_links.find(digest("bob's")) == link_of(bob)
