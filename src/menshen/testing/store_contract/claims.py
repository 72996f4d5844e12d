"""Test identifiers: one owner each under races, repeated claims, and their removal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from menshen.core.account.accounts import Account, NewAccount
from menshen.core.identifiers import Identifier, Kind
from menshen.ports.store.accounts import AlreadyTaken
from menshen.ports.store.store import Store, WriteTx
from menshen.testing.store_contract.racing import RACERS, OpenStore, nodes, race
from menshen.testing.store_contract.records import NOW, newcomer, settle

PHONE = Identifier(Kind.PHONE, "+8613544285662")
EMAIL = Identifier(Kind.EMAIL, "kevin@b.example")


async def refusal_of(store: Store, work: Callable[[WriteTx], Awaitable[Any]]) -> str:
    """Return the field that was taken, or "" if the work succeeded."""
    try:
        await store.write(work)
    except AlreadyTaken as taken:
        return taken.field
    return ""


class ClaimsContract:
    """Test `menshen.ports.store.accounts` with several accounts and one identifier."""

    async def test_of_racers_for_an_identifier_one_gets_it(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        wanted: dict[str, Callable[[int], NewAccount]] = {
            "username": lambda n: newcomer("alice", public_id=f"a{n}"),
            "phone": lambda n: newcomer(f"p{n}", phone=PHONE.canonical),
            "email": lambda n: newcomer(f"e{n}", email=EMAIL.canonical, email_verified=True),
            "public_id": lambda n: newcomer(f"i{n}", public_id="the same"),
        }
        for field, made in wanted.items():
            got = await race(
                stores,
                lambda store, n, made=made: refusal_of(store, lambda tx: tx.accounts.add(made(n))),  # type: ignore[misc]
            )
            assert sorted(got) == sorted(["", *[field] * (RACERS - 1)])

    async def test_a_refused_account_is_not_there_and_its_transaction_lives_on(self, open_store: OpenStore) -> None:
        store = await open_store()
        await settle(store, "alice")

        async def work(tx: WriteTx) -> Account:
            try:
                await tx.accounts.add(newcomer("alice", public_id="b", email=EMAIL.canonical))
            except AlreadyTaken as taken:
                assert taken.field == "username"  # noqa: PT017 - the transaction goes on in the handler's wake
            return await tx.accounts.add(newcomer("bob"))

        bob = await store.write(work)
        assert await store.read.accounts.find(bob.number) == bob
        assert list(await store.read.accounts.find_claims(EMAIL)) == []

    async def test_unproved_emails_may_repeat_and_a_proved_one_stands_beside_them(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice", email=EMAIL.canonical)
        bob = await settle(store, "bob", email=EMAIL.canonical)
        owner = await settle(store, "owner", email=EMAIL.canonical, email_verified=True)
        late = await settle(store, "late", email=EMAIL.canonical)
        assert await store.read.accounts.find_claims(EMAIL) == [alice, bob, owner, late]
        assert await store.read.accounts.find_owner(EMAIL) == owner

    async def test_claims_are_told_up_to_twenty(self, open_store: OpenStore) -> None:
        store = await open_store()
        for n in range(25):
            await settle(store, f"user{n}", email=EMAIL.canonical)
        assert len(await store.read.accounts.find_claims(EMAIL)) == 20

    async def test_a_username_changes_unless_it_is_taken(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        accounts = [await settle(stores[0], f"user{n}") for n in range(RACERS)]
        got = await race(
            stores,
            lambda store, n: refusal_of(
                store, lambda tx: tx.accounts.set_username(accounts[n].number, "alice", "Alice", now=NOW)
            ),
        )
        assert sorted(got) == ["", *["username"] * (RACERS - 1)]
        alice = await stores[0].read.accounts.find_owner(Identifier(Kind.USERNAME, "alice"))
        assert alice is not None
        assert (alice.number, alice.username_shown) == (accounts[got.index("")].number, "Alice")
        assert await stores[0].read.accounts.find_owner(Identifier(Kind.USERNAME, f"user{got.index('')}")) is None

    async def test_of_racers_binding_one_phone_or_email_one_gets_it(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        accounts = [await settle(stores[0], f"user{n}") for n in range(RACERS)]
        for identifier in (PHONE, EMAIL):
            got = await race(
                stores,
                lambda store, n, it=identifier: refusal_of(  # type: ignore[misc]
                    store, lambda tx: tx.accounts.set_identifier(accounts[n].number, it.kind, it.canonical, now=NOW)
                ),
            )
            assert sorted(got) == ["", *[identifier.kind.value] * (RACERS - 1)]
            owner = await stores[0].read.accounts.find_owner(identifier)
            assert owner is not None
            assert owner.number == accounts[got.index("")].number
            assert owner.owns(identifier)

    async def test_binding_replaces_what_the_account_had(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice", phone="+8613800138000", phone_verified=True)
        await store.write(lambda tx: tx.accounts.set_identifier(alice.number, PHONE.kind, PHONE.canonical, now=NOW))
        assert await store.read.accounts.find_owner(PHONE)
        await settle(store, "bob", phone="+8613800138000", phone_verified=True)

    async def test_claims_are_dropped_where_nothing_was_proved(self, open_store: OpenStore) -> None:
        store = await open_store()
        claimants = [await settle(store, f"user{n}", email=EMAIL.canonical) for n in range(3)]
        owner = await settle(store, "owner", email=EMAIL.canonical, email_verified=True)
        spared = claimants[1].number
        dropped = await store.write(lambda tx: tx.accounts.drop_claims(EMAIL, except_number=spared, now=NOW))
        assert sorted(dropped) == [claimants[0].number, claimants[2].number]
        assert [a.number for a in await store.read.accounts.find_claims(EMAIL)] == [spared, owner.number]
        phone = await settle(store, "phone", phone=PHONE.canonical)
        assert await store.write(lambda tx: tx.accounts.drop_claims(PHONE, except_number=None, now=NOW)) == [
            phone.number
        ]
        assert list(await store.read.accounts.find_claims(PHONE)) == []

    async def test_whoever_proves_a_phone_takes_it_off_its_claimant_whoever_races(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        claimant = await settle(stores[0], "claimant", phone=PHONE.canonical)

        async def prove(store: Store, n: int) -> str:
            async def work(tx: WriteTx) -> None:
                await tx.accounts.drop_claims(PHONE, except_number=None, now=NOW)
                await tx.accounts.add(newcomer(f"user{n}", phone=PHONE.canonical, phone_verified=True))

            return await refusal_of(store, work)

        got = await race(stores, prove)
        assert sorted(got) == ["", *["phone"] * (RACERS - 1)]
        owner = await stores[0].read.accounts.find_owner(PHONE)
        assert owner is not None
        assert owner.number != claimant.number
        assert await stores[0].read.accounts.find_claims(PHONE) == [owner]

    async def test_who_holds_an_account_writes_what_it_read(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        given = {"phone": PHONE.canonical, "phone_verified": True, "email": EMAIL.canonical, "email_verified": True}
        alice = await settle(stores[0], "alice", **given)
        name = Identifier(Kind.USERNAME, "alice")
        held: list[Callable[[WriteTx], Awaitable[Account | None]]] = [
            lambda tx: tx.accounts.hold(alice.number),
            *(lambda tx, it=it: tx.accounts.hold_owner(it) for it in (name, PHONE, EMAIL)),
        ]

        async def count(store: Store, n: int) -> None:
            async def work(tx: WriteTx) -> None:
                found = await held[n % len(held)](tx)
                assert found is not None
                fields = {"serve_num": found.profile.serve_num + 1}
                await tx.accounts.set_profile(alice.number, fields, now=NOW)

            await store.write(work)

        await race(stores, count)
        counted = await stores[1].read.accounts.find(alice.number)
        assert counted is not None
        assert counted.profile.serve_num == RACERS

    async def test_only_owners_are_held_by_an_identifier(self, open_store: OpenStore) -> None:
        store = await open_store()
        claimant = await settle(store, "alice", phone=PHONE.canonical, email=EMAIL.canonical)

        async def held(*identifiers: Identifier) -> list[int | None]:
            async def work(tx: WriteTx) -> list[int | None]:
                found = [await tx.accounts.hold_owner(each) for each in identifiers]
                return [each.number if each else None for each in found]

            return await store.write(work)

        name = Identifier(Kind.USERNAME, "alice")
        assert await held(name, PHONE, EMAIL) == [claimant.number, None, None]
        await store.write(lambda tx: tx.accounts.set_identifier(claimant.number, Kind.PHONE, PHONE.canonical, now=NOW))
        assert await held(PHONE) == [claimant.number]
        await store.write(lambda tx: tx.accounts.close(claimant.number, now=NOW))
        assert await held(name, PHONE, EMAIL) == [None, None, None]
        closed = await store.write(lambda tx: tx.accounts.hold(claimant.number))
        assert closed == await store.read.accounts.find(claimant.number)
        assert await store.write(lambda tx: tx.accounts.hold(99)) is None

    async def test_a_login_is_recorded_by_what_the_account_still_has(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice", phone=PHONE.canonical, phone_verified=True, email=EMAIL.canonical)
        other = Identifier(Kind.PHONE, "+8613800138000")

        async def recorded(by: Identifier) -> bool:
            number, now = alice.number, NOW
            found = await store.write(
                lambda tx: tx.accounts.record_login(number, ip="", now=now, password_version=0, by=by)
            )
            return found is not None

        given = (Identifier(Kind.USERNAME, "alice"), PHONE, EMAIL, other)
        # The address is a claim: it is no way to log in.
        assert [await recorded(each) for each in given] == [True, True, False, False]
        await store.write(lambda tx: tx.accounts.set_identifier(alice.number, Kind.PHONE, other.canonical, now=NOW))
        await store.write(lambda tx: tx.accounts.set_identifier(alice.number, Kind.EMAIL, EMAIL.canonical, now=NOW))
        await store.write(lambda tx: tx.accounts.set_username(alice.number, "bobby", "Bobby", now=NOW))
        assert [await recorded(each) for each in given] == [False, False, True, True]
