"""Test how sessions end. An end wins over each concurrent change that extends a session."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from menshen.core.account.accounts import Account, Status
from menshen.core.apps import App
from menshen.core.identifiers import Kind
from menshen.core.time import DAY
from menshen.core.tokens import digest
from menshen.ports.store.store import Store, WriteTx
from menshen.testing.store_contract.racing import RACERS, OpenStore, nodes, race
from menshen.testing.store_contract.records import NOW, live, open_session, session_of, settle

ROUNDS = 8


class SessionEndsContract:
    """Test `menshen.ports.store.sessions`: the ends of sessions."""

    async def test_a_session_is_ended_once_and_by_its_own_account_only(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice, bob = await settle(stores[0], "alice"), await settle(stores[0], "bob")
        await open_session(stores[0], session_of(alice, "one"))
        assert not await stores[0].write(lambda tx: tx.sessions.end("one", bob.number))
        assert await live(stores[1], "one") == ["one"]
        won = await race(stores, lambda store, _: store.write(lambda tx: tx.sessions.end("one", alice.number)))
        assert won.count(True) == 1
        assert await live(stores[1], "one") == []

    async def test_a_session_is_ended_once_by_its_token(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice, bob = await settle(stores[0], "alice"), await settle(stores[0], "bob")
        await open_session(stores[0], session_of(alice, "one"))
        await open_session(stores[0], session_of(bob, "two"))

        async def end(store: Store, token: bytes) -> tuple[str, int] | None:
            return await store.write(lambda tx: tx.sessions.end_by_token(token, before_login_of=bob.number))

        for token in (b"", b"one", digest("three")):
            assert await end(stores[0], token) is None
        won = await race(stores, lambda store, _: end(store, digest("one")))
        assert [each for each in won if each] == [("one", alice.number)]
        assert await live(stores[1], "one", "two") == ["two"]

    async def test_all_end_but_the_one_spared(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice, bob = await settle(store, "alice"), await settle(store, "bob")
        for n in range(4):
            await open_session(store, session_of(alice, f"a{n}"))
        await open_session(store, session_of(bob, "b"))
        ended = await store.write(lambda tx: tx.sessions.end_all(alice.number, except_id="a2"))
        assert sorted(ended) == ["a0", "a1", "a3"]
        assert await live(store, "a0", "a1", "a2", "a3", "b") == ["a2", "b"]
        # An `except_id` of another account has no effect.
        assert await store.write(lambda tx: tx.sessions.end_all(alice.number, except_id="b")) == ["a2"]
        assert list(await store.write(lambda tx: tx.sessions.end_all(alice.number))) == []

    async def test_an_ended_session_stays_ended_when_the_store_opens_again(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        await open_session(store, session_of(alice, "kept"))
        await open_session(store, session_of(alice, "ended"))
        await store.write(lambda tx: tx.sessions.end("ended", alice.number))
        await store.close()
        assert await live(await open_store(), "kept", "ended") == ["kept"]

    async def test_sessions_of_a_disabled_account_are_not_found(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice = await settle(stores[0], "alice")
        await open_session(stores[0], session_of(alice, "one"))
        await stores[0].write(lambda tx: tx.accounts.set_status(alice.number, Status.DISABLED, now=NOW))
        for store in stores:
            assert await live(store, "one") == []
            assert await store.read.sessions.check(digest("one")) is None
            assert list(await store.read.sessions.list_of(alice.number)) == []

    async def test_sessions_of_a_closed_account_are_not_found(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        await open_session(store, session_of(alice, "one"))
        await store.write(lambda tx: tx.accounts.close(alice.number, now=NOW))
        assert await live(store, "one") == []
        assert await store.read.sessions.check(digest("one")) is None

    async def test_sessions_of_a_disabled_app_are_found_again_when_it_is_enabled(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice = await settle(stores[0], "alice")
        shop = await stores[0].write(lambda tx: tx.apps.add(App(0, "shop", "12345678", "s" * 32)))
        await open_session(stores[0], session_of(alice, "shop's", app_id=shop.app_id))
        await open_session(stores[0], session_of(alice, "other's", app_id=shop.app_id + 1))
        both = ("shop's", "other's")
        for disabled, found in ((True, ["other's"]), (False, [*both])):
            await stores[0].write(lambda tx, disabled=disabled: tx.apps.save(replace(shop, disabled=disabled)))  # type: ignore[misc]
            for store in stores:
                assert await live(store, *both) == found
                checked = [await store.read.sessions.check(digest(one)) for one in both]
                assert [one.session_id for one in checked if one] == found
                # Their owner sees and ends them meanwhile.
                assert {one.session_id for one in await store.read.sessions.list_of(alice.number)} == set(both)

    async def test_a_check_tells_what_is_proved(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        await open_session(store, session_of(alice, "one"))

        async def proofs() -> tuple[bool, bool]:
            checked = await store.read.sessions.check(digest("one"))
            assert checked is not None
            return checked.bearer.phone_proved, checked.bearer.email_proved

        before = await proofs()
        await store.write(lambda tx: tx.accounts.set_identifier(alice.number, Kind.PHONE, "+8613800138000", now=NOW))
        assert await proofs() == (True, before[1])
        await store.write(lambda tx: tx.accounts.set_identifier(alice.number, Kind.EMAIL, "a@b.example", now=NOW))
        assert await proofs() == (True, True)

    async def test_disabling_wins_over_logins_that_race_it(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        for turn in range(ROUNDS):
            alice = await settle(stores[0], f"alice{turn}")
            await race(stores, partial(_login_but_five, alice, disable), racers=12)
            await stores[0].write(lambda tx, alice=alice: tx.accounts.set_status(alice.number, Status.ACTIVE, now=NOW))  # type: ignore[misc]
            # The account is enabled again, so that a session which did not end would be found now.
            assert list(await stores[0].read.sessions.list_of(alice.number)) == []

    async def test_a_password_change_wins_over_logins_by_the_old_one(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        for turn in range(ROUNDS):
            alice = await settle(stores[0], f"alice{turn}", password_hash="old")
            await race(stores, partial(_login_but_five, alice, change), racers=12)
            assert list(await stores[0].read.sessions.list_of(alice.number)) == []

    async def test_ending_wins_over_a_rotation_that_races_it(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice = await settle(stores[0], "alice")

        async def rotate(store: Store, old: str, new: str) -> bool:
            session = session_of(alice, "s", refresh_expires_at=NOW + DAY)
            return await store.write(
                lambda tx: tx.sessions.rotate(digest(old), digest(f"r{old}"), digest(new), digest(f"r{new}"), session)
            )

        async def end(store: Store) -> bool:
            await store.write(lambda tx: tx.sessions.end_all(alice.number))
            return True

        for turn in range(ROUNDS):
            session = session_of(alice, f"{turn}", refresh_expires_at=NOW + DAY)
            await open_session(stores[0], session, digest(f"r{turn}"))
            await race(
                stores,
                lambda store, n, turn=turn: end(store) if n == 1 else rotate(store, f"{turn}", f"{turn}-{n}"),  # type: ignore[misc]
                racers=4,
            )
            assert await live(stores[0], f"{turn}", *(f"{turn}-{n}" for n in range(4))) == []

    async def test_a_session_is_held_with_its_account_while_it_counts(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        store = stores[0]
        alice = await settle(store, "alice")
        shop = await store.write(lambda tx: tx.apps.add(App(0, "shop", "12345678", "s" * 32)))

        async def count(store: Store, _: int) -> None:
            async def work(tx: WriteTx) -> None:
                held = await tx.sessions.hold("one")
                assert held is not None
                await tx.accounts.set_profile(alice.number, {"serve_num": held.profile.serve_num + 1}, now=NOW)

            await store.write(work)

        async def held(session_id: str = "one") -> bool:
            found = await store.write(lambda tx: tx.sessions.hold(session_id))
            assert found is None or found == await store.read.accounts.find(alice.number)
            return found is not None

        async def after_all(account: Status, *, app: bool) -> bool:
            await store.write(lambda tx: tx.apps.save(replace(shop, disabled=app)))
            await store.write(lambda tx: tx.accounts.set_status(alice.number, account, now=NOW))
            return await held()

        await open_session(store, session_of(alice, "one", app_id=shop.app_id))
        await race(stores, count)
        counted = await store.read.accounts.find(alice.number)
        assert counted is not None
        assert counted.profile.serve_num == RACERS
        assert [await held(), await held("two")] == [True, False]
        assert not await after_all(Status.ACTIVE, app=True)
        assert not await after_all(Status.DISABLED, app=False)
        assert await after_all(Status.ACTIVE, app=False)
        await store.write(lambda tx: tx.upkeep.raise_epoch())
        assert not await held()
        await open_session(store, session_of(alice, "two"))
        assert await held("two")
        await store.write(lambda tx: tx.sessions.end("two", alice.number))
        assert not await held("two")

    async def test_a_pair_of_a_disabled_app_or_account_is_not_rotated(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        shop = await store.write(lambda tx: tx.apps.add(App(0, "shop", "12345678", "s" * 32)))
        session = session_of(alice, "0", app_id=shop.app_id, refresh_expires_at=NOW + DAY)
        await open_session(store, session, digest("r0"))

        async def rotated(turn: int, *, app: bool = False, account: Status = Status.ACTIVE) -> bool:
            await store.write(lambda tx: tx.apps.save(replace(shop, disabled=app)))
            await store.write(lambda tx: tx.accounts.set_status(alice.number, account, now=NOW))
            old, new = str(turn), str(turn + 1)
            return await store.write(
                lambda tx: tx.sessions.rotate(digest(old), digest(f"r{old}"), digest(new), digest(f"r{new}"), session)
            )

        assert not await rotated(0, app=True)
        assert not await rotated(0, account=Status.DISABLED)
        assert await rotated(0)
        assert await rotated(1)

    async def test_an_epoch_kills_everything_issued_before(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice = await settle(stores[0], "alice")
        session = session_of(alice, "old", refresh_expires_at=NOW + DAY)
        await open_session(stores[0], session, digest("refresh"))
        first = await stores[0].write(lambda tx: tx.upkeep.raise_epoch())
        for store in stores:
            assert await live(store, "old") == []
            assert await store.read.sessions.check(digest("old")) is None
            assert not await store.write(
                lambda tx: tx.sessions.rotate(digest("old"), digest("refresh"), b"t", b"r", session)
            )
        await open_session(stores[1], session_of(alice, "new"))
        assert await live(stores[1], "old", "new") == ["new"]
        assert await stores[1].write(lambda tx: tx.upkeep.raise_epoch()) == first + 1
        assert await live(stores[0], "new") == []


async def login(store: Store, account: Account, session_id: str) -> None:
    """Log in with a password checked at version 0. It does nothing if the account may no longer log in."""

    async def work(tx: WriteTx) -> None:
        if await tx.accounts.record_login(account.number, ip="", now=NOW, password_version=0):
            await tx.sessions.open(session_of(account, session_id), digest(session_id), None, most=20)

    await store.write(work)


async def _login_but_five(
    account: Account, other: Callable[[Store, Account], Awaitable[None]], store: Store, number: int
) -> None:
    await (other(store, account) if number == 5 else login(store, account, f"{account.number}-{number}"))


async def disable(store: Store, account: Account) -> None:
    async def work(tx: WriteTx) -> None:
        await tx.accounts.set_status(account.number, Status.DISABLED, now=NOW)
        await tx.sessions.end_all(account.number)

    await store.write(work)


async def change(store: Store, account: Account) -> None:
    async def work(tx: WriteTx) -> None:
        assert await tx.accounts.set_password(account.number, "new", now=NOW, expected_version=0)
        await tx.sessions.end_all(account.number)

    await store.write(work)
