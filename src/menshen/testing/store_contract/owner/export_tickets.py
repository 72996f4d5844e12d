"""Test tickets for exports: so many fetches each, by their own account, for their time, in their epoch."""

from __future__ import annotations

from dataclasses import replace

from menshen.core.account.export_tickets import LIFETIME, MOST_FETCHES, ExportTicket
from menshen.core.time import HOUR, Instant, after
from menshen.ports.store.store import Store
from menshen.testing.store_contract.racing import OpenStore, nodes, race
from menshen.testing.store_contract.records import NOW, settle

TICKET = ExportTicket("one", after(NOW, LIFETIME), NOW)
CROWD = 50


async def add(store: Store, number: int, ticket: ExportTicket = TICKET) -> None:
    await store.write(lambda tx: tx.export_tickets.add(number, ticket))


async def fetch(store: Store, number: int, ticket: str = "one", now: Instant = NOW) -> ExportTicket | None:
    return await store.write(lambda tx: tx.export_tickets.fetch(ticket, number, now, most=MOST_FETCHES))


async def listed(store: Store, number: int, now: Instant = NOW) -> list[ExportTicket]:
    return list(await store.read.export_tickets.list_of(number, now, most=MOST_FETCHES))


class ExportTicketsContract:
    """Test `menshen.ports.store.owner.export_tickets`."""

    async def test_a_ticket_comes_back_as_it_went_in(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice, bob = await settle(store, "alice"), await settle(store, "bob")
        newer = replace(TICKET, id="two", created_at=after(NOW, 1))
        await add(store, alice.number)
        await add(store, alice.number, newer)
        assert await listed(store, alice.number) == [newer, TICKET]
        assert await listed(store, bob.number) == []
        assert await fetch(store, alice.number) == replace(TICKET, fetches=1)
        assert await listed(store, alice.number) == [newer, replace(TICKET, fetches=1)]

    async def test_of_racers_with_one_ticket_so_many_fetch(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice = await settle(stores[0], "alice")
        await add(stores[0], alice.number)
        got = await race(stores, lambda store, _: fetch(store, alice.number), racers=CROWD)
        assert sorted(one.fetches for one in got if one) == list(range(1, MOST_FETCHES + 1))
        assert await fetch(stores[1], alice.number) is None
        assert await listed(stores[1], alice.number) == []

    async def test_a_ticket_belongs_to_one_account_and_day_and_epoch(self, open_store: OpenStore) -> None:
        store, other = await open_store(), await open_store()
        alice, bob = await settle(store, "alice"), await settle(store, "bob")
        await add(store, alice.number)
        for unknown in ("", "One", "one ", "two"):
            assert await fetch(store, alice.number, unknown) is None
        assert await fetch(store, bob.number) is None
        assert await fetch(store, alice.number, now=TICKET.expires_at) is None
        assert await listed(store, alice.number, TICKET.expires_at) == []
        # None of that was counted.
        assert await fetch(store, alice.number, now=after(TICKET.expires_at, -1)) == replace(TICKET, fetches=1)
        await other.write(lambda tx: tx.upkeep.raise_epoch(NOW))
        assert await fetch(store, alice.number) is None
        assert await listed(store, alice.number) == []
        await add(store, alice.number, replace(TICKET, id="new"))
        while await store.write(lambda tx: tx.upkeep.clear_epochs(batch=1)) is not None:
            pass
        assert await store.write(lambda tx: tx.export_tickets.remove_all(alice.number)) == 1, "the old one is cleared"

    async def test_tickets_are_swept_and_go_with_their_account_alone(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice, bob = await settle(store, "alice"), await settle(store, "bob")
        for n in range(3):
            await add(store, alice.number, ExportTicket(f"over {n}", after(NOW, -2 * HOUR)))
        await add(store, alice.number, ExportTicket("just", after(NOW, 1 - 2 * HOUR)))
        await add(store, bob.number)
        swept = [await store.write(lambda tx: tx.upkeep.sweep(NOW, audit_days=180, batch=2)) for _ in range(3)]
        assert swept == [2, 1, 0]
        assert await store.write(lambda tx: tx.export_tickets.remove_all(alice.number)) == 1
        assert await listed(store, bob.number) == [TICKET]
