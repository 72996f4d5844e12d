"""Test what a store keeps of a new pair for a client that lost it, and when it is gone."""

from __future__ import annotations

from dataclasses import replace

from menshen.core.account.accounts import Account, Status
from menshen.core.sessions.sessions import REUSE_GRACE, Session
from menshen.core.time import DAY, NEVER, Instant, after
from menshen.core.tokens import digest
from menshen.ports.store.imports import ImportedSession
from menshen.ports.store.sessions import SpentRefresh
from menshen.ports.store.store import Store
from menshen.testing.store_contract.racing import RACERS, OpenStore, nodes, race
from menshen.testing.store_contract.records import NOW, live, open_session, session_of, settle

SEALED = bytes(range(104))
PAID = after(NOW, DAY)


async def opened(store: Store, alice: Account) -> Session:
    session = session_of(alice, "one", slot="platform:web", refresh_expires_at=after(NOW, 31 * DAY))
    await open_session(store, session, digest("r0"))
    return session


async def rotate(store: Store, session: Session, turn: int = 0, sealed: bytes = SEALED) -> bool:
    """Refresh for the `turn`-th time: the token is the session's id at first, then t1, t2, …"""
    old = digest(f"t{turn}" if turn else session.session_id)
    renewed = replace(session, refreshes=turn + 1, refresh_paid_until=after(NOW, turn))
    new, refreshes = digest(f"t{turn + 1}"), (digest(f"r{turn}"), digest(f"r{turn + 1}"))
    return await store.write(
        lambda tx: tx.sessions.rotate(old, refreshes[0], new, refreshes[1], renewed, spent_at=NOW, successor=sealed)
    )


async def spent(store: Store, refresh: str = "r0") -> SpentRefresh:
    found = await store.read.sessions.find_spent_refresh(digest(refresh))
    assert found is not None
    return found


async def retry(store: Store, token: str, paid_until: Instant = PAID) -> bool:
    return await store.write(lambda tx: tx.sessions.retry(digest(token), paid_until))


async def sweep(store: Store, now: Instant) -> int:
    return await store.write(lambda tx: tx.upkeep.sweep(now, audit_days=180, batch=10))


class SuccessorsContract:
    """Test `menshen.ports.store.sessions`: the sealed new pair, `retry`, and what clears it away."""

    async def test_the_sealed_pair_is_found_with_the_spent_refresh(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice = await settle(stores[0], "alice")
        session = await opened(stores[0], alice)
        assert await rotate(stores[0], session)
        assert await spent(stores[1]) == SpentRefresh("one", alice.number, NOW, SEALED, paid_until=NOW)
        assert SEALED.hex() not in repr(await spent(stores[1]))
        # The next refresh takes its place, also for who comes with an older one.
        assert await rotate(stores[1], session, 1, SEALED[::-1])
        for refresh in ("r0", "r1"):
            assert (await spent(stores[0], refresh)).successor == SEALED[::-1]
        assert await rotate(stores[1], session, 2, b"")
        assert (await spent(stores[0])).successor == b""

    async def test_a_refresh_that_was_not_first_leaves_nothing_sealed(self, open_store: OpenStore) -> None:
        store = await open_store()
        session = await opened(store, await settle(store, "alice"))
        assert await rotate(store, session)
        assert not await rotate(store, session, 0, b"late")
        assert (await spent(store)).successor == SEALED

    async def test_the_first_retry_of_each_pair_is_noted(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        session = await opened(stores[0], await settle(stores[0], "alice"))
        for turn in range(3):
            assert await rotate(stores[0], session, turn)
            won = await race(
                stores, lambda store, n, turn=turn: retry(store, f"t{turn + 1}", after(PAID, n))  # type: ignore[misc]
            )  # fmt: skip
            assert (won.count(True), len(won)) == (1, RACERS)
            told = await spent(stores[1], f"r{turn}")
            assert (told.retried, told.paid_until) == (True, after(PAID, won.index(True)))
            assert (await stores[0].read.sessions.list_of(session.account_number))[
                0
            ].refresh_paid_until == told.paid_until

    async def test_a_retry_changes_only_the_present_pair_of_a_live_session(self, open_store: OpenStore) -> None:
        store, other = await open_store(), await open_store()
        alice = await settle(store, "alice")
        session = await opened(store, alice)
        await rotate(store, session)
        for token in ("one", "t0", "t2", "r1", ""):
            assert not await retry(store, token)
        await store.write(lambda tx: tx.accounts.set_status(alice.number, Status.DISABLED, now=NOW))
        assert not await retry(store, "t1")
        await store.write(lambda tx: tx.accounts.set_status(alice.number, Status.ACTIVE, now=NOW))
        assert not (await spent(store)).retried
        await other.write(lambda tx: tx.upkeep.raise_epoch())
        assert not await retry(store, "t1")
        assert not (await spent(store)).retried

    async def test_of_an_ended_session_the_spent_refresh_is_found_alone(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        await rotate(store, await opened(store, alice))
        await store.write(lambda tx: tx.sessions.end("one", alice.number))
        assert await spent(store) == SpentRefresh("one", alice.number, NOW)
        assert not await retry(store, "t1")

    async def test_the_sweep_takes_it_when_nobody_gets_it_any_more(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        session = await opened(store, alice)
        await open_session(store, session_of(alice, "two"))
        await rotate(store, session)
        assert await sweep(store, after(NOW, REUSE_GRACE)) == 0
        assert (await spent(store)).successor == SEALED
        assert await sweep(store, after(NOW, REUSE_GRACE + 1)) == 1
        assert await spent(store) == SpentRefresh("one", alice.number, NOW, paid_until=NOW)
        assert await sweep(store, after(NOW, REUSE_GRACE + 1)) == 0
        assert await live(store, "two", "t1") == ["two", "t1"]

    async def test_an_import_in_its_place_has_none(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        await rotate(store, await opened(store, alice))
        carried = session_of(alice, "one", slot="platform:web", created_at=after(NOW, 1))
        came = ImportedSession(carried, digest("carried"), digest("refresh"), after(NOW, DAY))
        assert await store.write(lambda tx: tx.imports.add_sessions([came])) == {"one"}
        assert (await spent(store)).successor == b""
        assert await sweep(store, after(NOW, REUSE_GRACE + 1)) == 0
        assert (await spent(store)).paid_until == NEVER
