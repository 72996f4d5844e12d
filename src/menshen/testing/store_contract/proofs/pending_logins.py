"""Test pending logins: each is completed once, has so many tries, and few live beside one another."""

from __future__ import annotations

from dataclasses import replace

from menshen.core.factors.pending import MOST_LIVE, TRIES, PendingLogin
from menshen.core.time import DAY, Instant, after
from menshen.core.tokens import digest
from menshen.ports.store.store import Store, WriteTx
from menshen.testing.store_contract.proofs.records import CROWD, SOON, pending_of
from menshen.testing.store_contract.racing import OpenStore, nodes, race
from menshen.testing.store_contract.records import NOW, left_at_default, settle

TICKET = digest("one")


async def add(store: Store, pending: PendingLogin, most: int = MOST_LIVE) -> None:
    async def work(tx: WriteTx) -> None:
        assert await tx.accounts.hold(pending.account_number)
        await tx.pending_logins.add(pending, most=most)

    await store.write(work)


async def take(store: Store, ticket: bytes = TICKET, now: Instant = NOW) -> PendingLogin | None:
    return await store.write(lambda tx: tx.pending_logins.take(ticket, now))


async def step(store: Store, ticket: bytes = TICKET, now: Instant = NOW) -> int | None:
    return await store.write(lambda tx: tx.pending_logins.count_step(ticket, now, most=TRIES))


async def waiting(store: Store, *names: str) -> list[str]:
    """Return those of the pending logins that are there."""
    return [name for name in names if await store.read.pending_logins.find(digest(name))]


class PendingLoginsContract:
    """Test `menshen.ports.store.proofs.pending_logins`."""

    async def test_a_pending_login_comes_back_as_it_went_in(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        full = pending_of(alice, "one", tries=2)
        other = pending_of(alice, "two", device=b"", replaces=b"", cookie=b"", in_browser=0, enroll=1, phone_due=0)
        assert left_at_default(full) == []
        for each in (full, other):
            await add(store, each)
            found = await store.read.pending_logins.find(each.ticket)
            assert found == each
            assert type(found.ticket) is type(found.device) is bytes
        for unknown in (b"", digest("three"), full.ticket[:-1], full.ticket + b"\0", b"one"):
            assert await store.read.pending_logins.find(unknown) is None
            assert await take(store, unknown) is None
            assert await step(store, unknown) is None
        assert await take(store) == full

    async def test_of_racers_with_one_ticket_one_takes_it(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice = await settle(stores[0], "alice")
        pending = pending_of(alice, "one")
        await add(stores[0], pending)
        got = await race(stores, lambda store, _: take(store), racers=CROWD)
        assert [each for each in got if each] == [pending]
        assert await waiting(stores[1], "one") == []
        assert await step(stores[0]) is None

    async def test_a_ticket_has_five_tries_whoever_races(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice = await settle(stores[0], "alice")
        await add(stores[0], pending_of(alice, "one"))
        await add(stores[0], pending_of(alice, "two"))
        counted = await race(stores, lambda store, _: step(store), racers=CROWD)
        assert sorted(each for each in counted if each) == [1, 2, 3, 4, 5]
        assert await step(stores[0]) is None
        # The last try that was counted may have been right: it still takes the row.
        assert await step(stores[1], digest("two")) == 1
        taken = await take(stores[1])
        assert taken is not None
        assert taken.tries == TRIES

    async def test_a_step_that_was_not_judged_is_taken_back(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        await add(store, pending_of(alice, "one"))
        assert [await step(store), await step(store)] == [1, 2]
        for _ in range(3):
            await store.write(lambda tx: tx.pending_logins.refund_step(TICKET))
        assert [await step(store) for _ in range(TRIES + 1)] == [1, 2, 3, 4, 5, None]
        await store.write(lambda tx: tx.pending_logins.refund_step(digest("unknown")))

    async def test_a_pending_login_is_over_at_its_end(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        await add(store, pending_of(alice, "one"))
        assert await step(store, now=SOON) is None
        assert await take(store, now=SOON) is None
        # It is found all the same: the caller decides by the program's one clock.
        assert await waiting(store, "one") == ["one"]
        assert await step(store, now=after(SOON, -1)) == 1
        assert await take(store, now=after(SOON, -1)) is not None

    async def test_a_third_login_lives_and_a_fourth_ends_the_oldest(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice, bob = await settle(store, "alice"), await settle(store, "bob")
        elsewhere = pending_of(alice, "elsewhere", network="198.51.100.0/24", created_at=after(NOW, -9))
        await add(store, elsewhere)
        await add(store, pending_of(bob, "bob's", created_at=after(NOW, -9)))
        for n in (2, 3, 1, 4, 5):
            await add(store, pending_of(alice, f"p{n}", created_at=after(NOW, n)))
        assert await waiting(store, "p1", "p2", "p3", "p4", "p5") == ["p3", "p4", "p5"]
        # The new one always stays, also by a clock that is behind.
        await add(store, pending_of(alice, "late", created_at=NOW))
        assert await waiting(store, "p3", "p4", "p5", "late") == ["p4", "p5", "late"]
        assert await waiting(store, "elsewhere", "bob's") == ["elsewhere", "bob's"]

    async def test_of_racing_logins_three_live(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice = await settle(stores[0], "alice")
        await race(stores, lambda store, n: add(store, pending_of(alice, f"p{n}")), racers=CROWD)
        assert len(await waiting(stores[1], *(f"p{n}" for n in range(CROWD)))) == MOST_LIVE

    async def test_dead_logins_keep_no_place(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        # Of an older epoch, by a clock that was ahead: by the instants alone, they are the newest.
        for n in range(3):
            await add(store, pending_of(alice, f"old{n}", created_at=after(NOW, DAY), expires_at=after(NOW, 2 * DAY)))
        await store.write(lambda tx: tx.upkeep.raise_epoch(NOW))
        # And of this one, but over.
        for n in range(3):
            await add(store, pending_of(alice, f"over{n}", created_at=after(NOW, DAY), expires_at=NOW))
        names = [f"new{n}" for n in range(MOST_LIVE)]
        for name in names:
            await add(store, pending_of(alice, name))
        assert await waiting(store, *names) == names

    async def test_an_enrolment_is_allowed_once(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice = await settle(stores[0], "alice")
        pending = pending_of(alice, "one", enroll=1)
        await add(stores[0], pending)
        won = await race(stores, lambda store, _: store.write(lambda tx: tx.pending_logins.allow_enrolment(TICKET)))
        assert won.count(True) == 1
        assert await stores[1].read.pending_logins.find(TICKET) == replace(pending, phone_due=0)
        assert not await stores[0].write(lambda tx: tx.pending_logins.allow_enrolment(digest("unknown")))

    async def test_all_pending_logins_of_an_account_end(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice, bob = await settle(stores[0], "alice"), await settle(stores[0], "bob")
        for who, name in ((alice, "one"), (alice, "two"), (bob, "bob's")):
            await add(stores[0], pending_of(who, name))
        ended = await race(
            stores,
            lambda store, n: store.write(lambda tx: tx.pending_logins.end_all(alice.number)) if n % 2 else take(store),
            racers=CROWD,
        )
        # Each ended once: taken, or ended with all.
        taken = [each for each in ended[::2] if each is not None]
        assert len(taken) + sum(int(str(each)) for each in ended[1::2]) == 2
        assert await waiting(stores[1], "one", "two", "bob's") == ["bob's"]
