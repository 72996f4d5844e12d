"""Test imports: records come in unchanged, once, and never replace newer ones."""

from __future__ import annotations

from dataclasses import replace

from menshen.core.account.accounts import Account, Status
from menshen.core.time import DAY, Instant, after
from menshen.core.tokens import digest
from menshen.ports.store.imports import Imported, ImportedSession
from menshen.ports.store.store import Store, WriteTx
from menshen.testing.store_contract.racing import RACERS, OpenStore, nodes, race
from menshen.testing.store_contract.records import NOW, PROFILE, left_at_default, live, open_session, session_of, settle

PHONE, EMAIL = "+8613544285662", "kevin@b.example"
FORGET = after(NOW, 31 * DAY)


def foreign(number: int, name: str, **given: object) -> Account:
    """Return an account of the other program."""
    return replace(Account(number, f"id-of-{name}", name, name, created_at=NOW), **given)  # type: ignore[arg-type]


async def add(store: Store, *accounts: Account) -> dict[str, int]:
    return dict(await store.write(lambda tx: tx.imports.add_accounts(accounts)))


def carried(account: Account, name: str, *, slot: str | None = None, created_at: Instant = NOW) -> ImportedSession:
    session = session_of(account, name, slot=slot, created_at=created_at)
    return ImportedSession(session, digest(name), digest(f"refresh of {name}"), FORGET)


async def carry(store: Store, *sessions: ImportedSession) -> set[str]:
    return set(await store.write(lambda tx: tx.imports.add_sessions(sessions)))


class ImportsContract:
    """Test `menshen.ports.store.imports`."""

    async def test_accounts_come_as_they_were(self, open_store: OpenStore) -> None:
        store = await open_store()
        full = foreign(
            700, "alice", username_shown="Alice", phone=PHONE, phone_verified=True, email=EMAIL, email_verified=True,
            status=Status.DISABLED, roles="tester", password_hash="$hash$", password_version=3,
            password_changed_at=after(NOW, 1), updated_at=after(NOW, 2), login_at=after(NOW, 3), login_ip="192.0.2.1",
            previous_login_at=after(NOW, 4), previous_login_ip="192.0.2.2", second_step=True,
            factors_version=5, closes_at=after(NOW, 5), profile=PROFILE,
        )  # fmt: skip
        assert left_at_default(full) == []
        await store.write(lambda tx: tx.imports.reserve_numbers(700))
        assert await add(store, full, foreign(0, "bob")) == {"id-of-alice": 700, "id-of-bob": 701}
        assert await store.read.accounts.find(700) == full

    async def test_of_imports_at_once_one_brings_an_account(self, open_store: OpenStore) -> None:
        """Let each look first, and bring it under a new number and name when it has not come in."""
        stores = await nodes(open_store)

        async def bring(store: Store, n: int) -> bool:
            async def work(tx: WriteTx) -> bool:
                await tx.imports.hold("shop")
                if await tx.imports.known("shop", [700]):
                    return False
                stored = await tx.imports.add_accounts([foreign(0, f"alice{n}")])
                await tx.imports.note("shop", {700: (1, stored[f"id-of-alice{n}"])})
                return True

            return await store.write(work)

        assert sorted(await race(stores, bring)) == [False] * (RACERS - 1) + [True]

    async def test_numbers_go_on_above_those_that_came(self, open_store: OpenStore) -> None:
        store = await open_store()
        first = await settle(store, "first")
        await store.write(lambda tx: tx.imports.reserve_numbers(900))
        await add(store, foreign(900, "alice"))
        second = await settle(store, "second")
        assert second.number > 900 > first.number
        # A lower number changes nothing.
        await store.write(lambda tx: tx.imports.reserve_numbers(5))
        assert (await settle(store, "third")).number > second.number

    async def test_who_meets_another_stays_out_and_the_others_come(self, open_store: OpenStore) -> None:
        store = await open_store()
        here = await settle(store, "here", phone=PHONE, phone_verified=True, email=EMAIL, email_verified=True)
        got = await add(
            store,
            foreign(here.number, "number"),
            foreign(801, "here", public_id="x"),
            foreign(802, "phone", phone=PHONE),
            foreign(803, "mail", email=EMAIL, email_verified=True),
            foreign(804, "claim", email=EMAIL),
            foreign(805, "alice"),
        )
        assert got == {"id-of-claim": 804, "id-of-alice": 805}

    async def test_of_racing_imports_each_account_comes_once(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        got = await race(stores, lambda store, n: add(store, foreign(0, f"user{n % 5}", public_id=f"p{n}")))
        assert sum(len(some) for some in got) == 5

    async def test_what_an_account_cannot_have_is_told(self, open_store: OpenStore) -> None:
        store = await open_store()
        owner = await settle(store, "owner", phone=PHONE, phone_verified=True, email=EMAIL, email_verified=True)
        claimant = await settle(store, "claimant", phone="+8613800138000", email="claim@b.example")
        closed = await settle(store, "closed")
        await store.write(lambda tx: tx.accounts.close(closed.number, now=NOW))
        cases = {
            foreign(owner.number, "one"): {"number"},
            foreign(closed.number, "closed"): {"number"},
            foreign(801, "owner"): {"username"},
            foreign(802, "two", phone=PHONE, phone_verified=True): {"phone"},
            foreign(803, "three", phone=claimant.phone): {"phone"},
            foreign(804, "four", phone=claimant.phone, phone_verified=True): set(),
            foreign(805, "five", email=EMAIL, email_verified=True): {"email"},
            foreign(806, "six", email=EMAIL): set(),
            foreign(807, "seven", email="claim@b.example", email_verified=True): set(),
            foreign(0, "nobody"): set(),
        }
        told = await store.write(lambda tx: tx.imports.taken(list(cases)))
        assert [set(fields) for fields in told] == list(cases.values())
        claimed = await store.write(lambda tx: tx.imports.claimed([EMAIL, "claim@b.example", "no@b.example"]))
        assert set(claimed) == {"claim@b.example"}

    async def test_the_ledger_tells_what_came_and_whether_it_is_still_so(self, open_store: OpenStore) -> None:
        store = await open_store()
        accounts = [await settle(store, name) for name in ("same", "changed", "disabled")]
        numbers = [account.number for account in accounts]
        came = {70 + n: (1000 + n, number) for n, number in enumerate(numbers)}
        await store.write(lambda tx: tx.imports.note("shop", came))
        await store.write(lambda tx: tx.imports.note("shop", {70: (5, 99)}))
        await store.write(lambda tx: tx.accounts.set_password(numbers[1], "p", now=NOW))
        await store.write(lambda tx: tx.accounts.set_status(numbers[2], Status.DISABLED, now=NOW))
        assert dict(await store.write(lambda tx: tx.imports.known("shop", [69, 70, 71, 72]))) == {
            70: Imported(1000, numbers[0], active=True, password_changed=False),
            71: Imported(1001, numbers[1], active=True, password_changed=True),
            72: Imported(1002, numbers[2], active=False, password_changed=False),
        }
        assert dict(await store.write(lambda tx: tx.imports.known("other", [70]))) == {}

    async def test_a_token_comes_in_once_whatever_became_of_it(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice = await settle(stores[0], "alice")
        got = await race(stores, lambda store, _: carry(store, carried(alice, "one")), racers=RACERS)
        assert sorted(len(some) for some in got) == [0] * (RACERS - 1) + [1]
        assert await live(stores[0], "one") == ["one"]
        await stores[0].write(lambda tx: tx.sessions.end("one", alice.number))
        assert await carry(stores[1], carried(alice, "one")) == set()
        assert await live(stores[1], "one") == []
        known = await stores[1].write(lambda tx: tx.imports.tokens_known([digest("one"), digest("two")]))
        assert {bytes(token) for token in known} == {digest("one")}

    async def test_a_newer_login_of_the_slot_stays(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        await open_session(store, session_of(alice, "here", slot="platform:web", created_at=NOW))
        assert await carry(store, carried(alice, "older", slot="platform:web", created_at=after(NOW, -1))) == set()
        assert await live(store, "here", "older") == ["here"]
        assert await carry(store, carried(alice, "newer", slot="platform:web", created_at=after(NOW, 1))) == {"newer"}
        assert await live(store, "here", "older", "newer") == ["newer"]

    async def test_no_session_comes_in_beside_a_change_that_ends_them(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        for turn in range(5):
            alice = await settle(stores[0], f"alice{turn}")
            await stores[0].write(lambda tx, n=turn, alice=alice: tx.imports.note("shop", {n: (1, alice.number)}))  # type: ignore[misc]

            async def come(store: Store, n: int, turn: int = turn, alice: Account = alice) -> None:
                async def work(tx: WriteTx) -> None:
                    if n == 3:
                        await tx.accounts.set_password(alice.number, "new", now=NOW)
                        await tx.sessions.end_all(alice.number)
                        return
                    await tx.imports.hold_accounts("shop", [turn, 99])
                    if not (await tx.imports.known("shop", [turn]))[turn].password_changed:
                        await tx.imports.add_sessions([carried(alice, f"{turn} {n}")])

                await store.write(work)

            await race(stores, come, racers=8)
            assert list(await stores[0].read.sessions.list_of(alice.number)) == []
