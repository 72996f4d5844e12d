"""Test accounts: numbers, look-ups, compare-and-set, closing."""

from __future__ import annotations

from dataclasses import replace

from menshen.core.account.accounts import Account, Profile, Status
from menshen.core.identifiers import Identifier, Kind
from menshen.core.time import NEVER, Instant
from menshen.ports.store.store import Store, WriteTx
from menshen.testing.store_contract.racing import OpenStore, nodes, race
from menshen.testing.store_contract.records import NOW, PROFILE, newcomer, settle

LATER = Instant(NOW + 1)
PHONE = "+8613544285662"


def name(username: str) -> Identifier:
    return Identifier(Kind.USERNAME, username)


class AccountsContract:
    """Test `menshen.ports.store.accounts`, one account at a time."""

    async def test_numbers_rise_from_one(self, open_store: OpenStore) -> None:
        store = await open_store()
        assert [(await settle(store, f"user{n}")).number for n in range(3)] == [1, 2, 3]

    async def test_an_account_comes_back_as_it_went_in(self, open_store: OpenStore) -> None:
        store = await open_store()
        new = newcomer(
            "alice", username_shown="Alice", phone=PHONE, phone_verified=True, email="a@b.example",
            email_verified=True, password_hash="$hash$", profile=PROFILE,
        )  # fmt: skip
        kept = await store.write(lambda tx: tx.accounts.add(new))
        wanted = Account(
            kept.number, "id-of-alice", "alice", "Alice", PHONE, phone_verified=True, email="a@b.example",
            email_verified=True, password_hash="$hash$", created_at=NOW, updated_at=NOW, profile=PROFILE,
        )  # fmt: skip
        assert kept == wanted
        read = store.read.accounts
        assert await read.find(kept.number) == wanted
        assert await read.find_by_public_id("id-of-alice") == wanted
        for identifier in (name("alice"), Identifier(Kind.PHONE, PHONE), Identifier(Kind.EMAIL, "a@b.example")):
            assert await read.find_owner(identifier) == wanted
            assert await read.find_claims(identifier) == [wanted]

    async def test_types_come_back_too(self, open_store: OpenStore) -> None:
        store = await open_store()
        for account in (await settle(store, "alice", profile=PROFILE), await store.read.accounts.find(1)):
            assert account is not None
            assert type(account.phone_verified) is bool
            assert type(account.profile.refund_rate) is float
            assert type(account.profile.serve_num) is int
            assert type(account.profile.real_name_verified) is bool
            assert account.status is Status.ACTIVE

    async def test_nobody_is_none(self, open_store: OpenStore) -> None:
        store = await open_store()
        await settle(store, "alice")
        read = store.read.accounts
        assert await read.find(2) is None
        assert await read.find_by_public_id("id-of-bob") is None
        assert await read.find_owner(name("bob")) is None
        assert list(await read.find_claims(name("bob"))) == []

    async def test_an_unproved_phone_or_email_is_a_claim_and_no_login(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice", phone=PHONE, email="a@b.example")
        for identifier in (Identifier(Kind.PHONE, PHONE), Identifier(Kind.EMAIL, "a@b.example")):
            assert await store.read.accounts.find_owner(identifier) is None
            assert await store.read.accounts.find_claims(identifier) == [alice]

    async def test_identifiers_compare_exactly(self, open_store: OpenStore) -> None:
        """Check that the store compares exactly. Only the core makes canonical forms."""
        store = await open_store()
        twins = [
            "alice",
            "ALICE",
            "alice ",
            "aliсe",
            "e\u0301",
            "\u00e9",
            "É",
            "ss",
            "ß",
            "ｓｓ",
            "I",
            "ı",
            "i",
            "%",
            "_",
        ]
        for twin in twins:
            await settle(store, twin, public_id=f"of {twin}", email=f"{twin}@b.example", email_verified=True)
        for number, twin in enumerate(twins, 1):
            for identifier in (name(twin), Identifier(Kind.EMAIL, f"{twin}@b.example")):
                found = await store.read.accounts.find_owner(identifier)
                assert found is not None
                assert found.number == number
        assert await store.read.accounts.find_owner(name("aLICE")) is None
        assert await store.read.accounts.find_by_public_id("OF alice") is None

    async def test_a_login_is_noted_beside_the_one_before(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")

        async def login(at: Instant, ip: str) -> Account | None:
            return await store.write(
                lambda tx: tx.accounts.record_login(alice.number, ip=ip, now=at, password_version=None)
            )

        assert await login(NOW, "192.0.2.1")
        wanted = replace(
            alice, login_at=LATER, login_ip="2001:db8::1", previous_login_at=NOW, previous_login_ip="192.0.2.1"
        )
        assert await login(LATER, "2001:db8::1") == wanted
        assert await store.read.accounts.find(alice.number) == wanted

    async def test_only_an_active_account_with_the_judged_password_logs_in(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")

        async def login(version: int | None) -> Account | None:
            return await store.write(
                lambda tx: tx.accounts.record_login(alice.number, ip="", now=NOW, password_version=version)
            )

        assert await login(0)
        await store.write(lambda tx: tx.accounts.set_password(alice.number, "new", now=NOW))
        assert await login(0) is None
        assert await login(1)
        assert await login(None)
        await store.write(lambda tx: tx.accounts.set_status(alice.number, Status.DISABLED, now=NOW))
        assert await login(1) is None
        assert await login(None) is None

    async def test_a_password_change_is_compared_and_set(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice = await settle(stores[0], "alice", password_hash="old")
        won = await race(
            stores,
            lambda store, n: store.write(
                lambda tx: tx.accounts.set_password(alice.number, f"new{n}", now=LATER, expected_version=0)
            ),
        )
        assert won.count(True) == 1
        present = await stores[0].read.accounts.find(alice.number)
        assert present == replace(
            alice, password_hash=f"new{won.index(True)}", password_version=1, password_changed_at=LATER,
            updated_at=LATER,
        )  # fmt: skip

    async def test_every_unconditional_password_change_raises_the_version(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice = await settle(stores[0], "alice")
        assert all(
            await race(
                stores, lambda store, _: store.write(lambda tx: tx.accounts.set_password(alice.number, "p", now=NOW))
            )
        )
        present = await stores[0].read.accounts.find(alice.number)
        assert present is not None
        assert present.password_version == 30

    async def test_a_hash_is_upgraded_once_and_never_over_a_newer_password(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice = await settle(stores[0], "alice", password_hash="old")
        won = await race(
            stores,
            lambda store, n: store.write(lambda tx: tx.accounts.replace_hash(alice.number, "old", f"upgraded{n}")),
        )
        assert won.count(True) == 1
        present = await stores[0].read.accounts.find(alice.number)
        assert present == replace(alice, password_hash=f"upgraded{won.index(True)}")
        await stores[0].write(lambda tx: tx.accounts.set_password(alice.number, "newer", now=NOW))
        assert not await stores[0].write(
            lambda tx: tx.accounts.replace_hash(alice.number, f"upgraded{won.index(True)}", "late")
        )

    async def test_status_switches_once(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice = await settle(stores[0], "alice")
        for status in (Status.DISABLED, Status.ACTIVE):
            won = await race(
                stores,
                lambda store, _, status=status: store.write(  # type: ignore[misc]
                    lambda tx: tx.accounts.set_status(alice.number, status, now=LATER)
                ),
                racers=6,
            )
            assert won.count(True) == 1
            present = await stores[0].read.accounts.find(alice.number)
            assert present == replace(alice, status=status, updated_at=LATER)
        assert not await stores[0].write(lambda tx: tx.accounts.set_status(99, Status.DISABLED, now=NOW))

    async def test_a_disabled_account_is_still_somebody(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        await store.write(lambda tx: tx.accounts.set_status(alice.number, Status.DISABLED, now=NOW))
        found = await store.read.accounts.find_owner(name("alice"))
        assert found is not None
        assert not found.active

    async def test_closing_frees_the_identifiers_and_keeps_the_number(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(
            store, "alice", phone=PHONE, phone_verified=True, email="a@b.example", email_verified=True,
            password_hash="$hash$", profile=PROFILE,
        )  # fmt: skip
        assert await store.write(lambda tx: tx.accounts.close(alice.number, now=LATER))
        closed = await store.read.accounts.find(alice.number)
        assert closed == Account(
            alice.number, alice.public_id, status=Status.CLOSED, roles=alice.roles, password_version=1,
            created_at=NOW, updated_at=LATER, factors_version=1, profile=Profile(),
        )  # fmt: skip
        assert await store.read.accounts.find_by_public_id(alice.public_id) == closed
        again = await settle(
            store, "alice", public_id="another", phone=PHONE, phone_verified=True, email="a@b.example",
            email_verified=True,
        )  # fmt: skip
        assert again.number > alice.number
        for identifier in (name("alice"), Identifier(Kind.PHONE, PHONE), Identifier(Kind.EMAIL, "a@b.example")):
            assert await store.read.accounts.find_owner(identifier) == again
            assert await store.read.accounts.find_claims(identifier) == [again]

    async def test_the_number_of_the_last_account_is_retired_too(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        await store.write(lambda tx: tx.accounts.close(alice.number, now=NOW))
        await store.close()
        assert (await settle(await open_store(), "bob")).number > alice.number

    async def test_nothing_changes_a_closed_account(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        await store.write(lambda tx: tx.accounts.close(alice.number, now=NOW))
        closed = await store.read.accounts.find(alice.number)

        async def everything(tx: WriteTx) -> list[object]:
            number = alice.number
            await tx.accounts.set_username(number, "again", "again", now=LATER)
            await tx.accounts.set_identifier(number, Kind.PHONE, PHONE, now=LATER)
            return [
                await tx.accounts.close(number, now=LATER),
                await tx.accounts.set_status(number, Status.ACTIVE, now=LATER),
                await tx.accounts.set_password(number, "p", now=LATER),
                await tx.accounts.replace_hash(number, "x", "p"),
                await tx.accounts.set_profile(number, {"city": "x"}, now=LATER),
                await tx.accounts.record_login(number, ip="", now=LATER, password_version=None),
            ]

        assert await store.write(everything) == [False, False, False, False, None, None]
        assert await store.read.accounts.find(alice.number) == closed

    async def test_a_profile_changes_by_its_fields(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice", profile=PROFILE)
        changed = await store.write(
            lambda tx: tx.accounts.set_profile(alice.number, {"city": "大连", "gender": 0, "nickname": ""}, now=LATER)
        )
        wanted = replace(alice, updated_at=LATER, profile=replace(PROFILE, city="大连", gender=0, nickname=""))  # type: ignore[arg-type]
        assert changed == wanted
        assert await store.read.accounts.find(alice.number) == wanted
        assert await store.write(lambda tx: tx.accounts.set_profile(99, {"city": "x"}, now=NOW)) is None

    async def test_a_stored_profile_is_shown_plain(self, open_store: OpenStore) -> None:
        """Check what an older release may have stored."""
        store = await open_store()
        odd = Profile(nickname="a\n\u202eb", avatar_url="javascript:x", description="1\n2\x1b", birthday="<b>")
        alice = await settle(store, "alice", profile=odd)
        shown = Profile(nickname="a\ufffd\ufffdb", description="1\n2\ufffd")
        assert alice.profile == shown
        found = await store.read.accounts.find(alice.number)
        assert found is not None
        assert found.profile == shown
        good = await store.write(lambda tx: tx.accounts.set_profile(alice.number, {"avatar_url": "//h/a"}, now=LATER))
        assert good is not None
        assert good.profile == replace(shown, avatar_url="//h/a")

    async def test_a_nickname_is_taken_by_open_accounts_only(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice", profile=Profile(nickname="Fox"))

        async def taken(nickname: str, besides: int | None = None) -> bool:
            return await store.read.accounts.nickname_taken(nickname, besides)

        assert await taken("Fox")
        assert not await taken("Fox", alice.number)
        assert not await taken("fox")
        await store.write(lambda tx: tx.accounts.close(alice.number, now=NOW))
        assert not await taken("Fox")

    async def test_two_writers_of_one_nickname_take_turns(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)

        async def take(store: Store, n: int) -> bool:
            async def work(tx: WriteTx) -> bool:
                if await tx.accounts.nickname_taken("Fox", None):
                    return False
                await tx.accounts.add(newcomer(f"user{n}", profile=Profile(nickname="Fox")))
                return True

            return await store.write(work)

        assert (await race(stores, take)).count(True) == 1

    async def test_no_password_yet_is_an_empty_hash(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        assert (alice.password_hash, alice.password_version, alice.password_changed_at) == ("", 0, NEVER)
