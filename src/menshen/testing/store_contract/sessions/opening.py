"""Test sessions: opening, sessions of one slot, the maximum, rotation."""

from __future__ import annotations

from dataclasses import replace

from menshen.core.account.accounts import Account
from menshen.core.gates.members import SPENT_KEPT
from menshen.core.sessions.outcomes import Bearer
from menshen.core.time import DAY, MINUTE, Instant, after
from menshen.core.tokens import digest
from menshen.ports.store.sessions import CheckedToken, SpentRefresh
from menshen.ports.store.store import Store
from menshen.testing.store_contract.racing import RACERS, OpenStore, nodes, race
from menshen.testing.store_contract.records import NOW, left_at_default, live, open_in, open_session, session_of, settle

ROUNDS = 20
CROWD = 50


async def start(open_store: OpenStore) -> tuple[Store, Account]:
    store = await open_store()
    return store, await settle(store, "alice")


class SessionsContract:
    """Test `menshen.ports.store.sessions`: the start and use of sessions."""

    async def test_a_session_comes_back_as_it_went_in(self, open_store: OpenStore) -> None:
        store, alice = await start(open_store)
        session = session_of(
            alice, "one", app_id=7, dialect="careyshop", platform="web 网", slot="platform:web", device_id="d",
            device_model="m", device_name="n", ip="2001:db8::1", seen_at=NOW + 1, proved_at=NOW + 2,
            expires_at=NOW + 3, ends_at=NOW + 4, sliding_ms=5, refresh_expires_at=NOW + 6,
            refreshes=7, refresh_paid_until=NOW + 8, level=2, methods="pwd otp", second_at=NOW + 9,
        )  # fmt: skip
        assert left_at_default(session) == []
        assert await open_session(store, session, digest("refresh")) == []
        found = await store.read.sessions.find(digest("one"))
        assert found is not None
        assert found[0] == session
        assert found[1] == await store.read.accounts.find(alice.number)
        assert await store.read.sessions.check(digest("one")) == CheckedToken(
            "one", Bearer(alice.public_id, alice.number, alice.roles, level=2), session.expires_at, session.ends_at,
            session.seen_at, 5,
        )  # fmt: skip
        assert await store.read.sessions.list_of(alice.number) == [session]

    async def test_nothing_but_its_token_finds_it(self, open_store: OpenStore) -> None:
        store, alice = await start(open_store)
        await open_session(store, session_of(alice, "one"), digest("refresh"))
        for other in (b"", b"one", digest("refresh"), digest("one")[:-1], digest("one") + b"\0", digest("One")):
            assert await store.read.sessions.find(other) is None
            assert await store.read.sessions.check(other) is None

    async def test_the_newest_is_listed_first(self, open_store: OpenStore) -> None:
        store, alice = await start(open_store)
        bob = await settle(store, "bob")
        await open_session(store, session_of(bob, "bob's"))
        for n in (2, 3, 1):
            await open_session(store, session_of(alice, f"s{n}", created_at=NOW + n))
        assert [s.session_id for s in await store.read.sessions.list_of(alice.number)] == ["s3", "s2", "s1"]

    async def test_an_expired_session_is_still_found(self, open_store: OpenStore) -> None:
        """Check that the caller decides on expiry, by the program's one clock."""
        store, alice = await start(open_store)
        await open_session(store, session_of(alice, "old", expires_at=Instant(1), ends_at=Instant(1)))
        assert await live(store, "old") == ["old"]

    async def test_one_session_to_an_account_and_slot_whoever_races(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice = await settle(stores[0], "alice")
        bob = await settle(stores[0], "bob")
        await open_session(stores[0], session_of(bob, "bob's", slot="platform:web"))
        await open_session(stores[0], session_of(alice, "elsewhere", slot="platform:ios"))
        before: list[str] = []
        for turn in range(ROUNDS):
            ended = await race(
                stores,
                lambda store, n, turn=turn: open_session(  # type: ignore[misc]
                    store, session_of(alice, f"{turn}-{n}", slot="platform:web")
                ),
                racers=CROWD,
            )
            racers = [f"{turn}-{n}" for n in range(CROWD)]
            left = await live(stores[1], *racers, *before)
            assert len(left) == 1
            assert sorted(one for some in ended for one in some) == sorted(set(before + racers) - set(left))
            before = left
        assert await live(stores[1], "bob's", "elsewhere") == ["bob's", "elsewhere"]

    async def test_without_a_slot_nothing_is_replaced(self, open_store: OpenStore) -> None:
        store, alice = await start(open_store)
        for n in range(5):
            assert await open_session(store, session_of(alice, f"s{n}")) == []
        assert len(await store.read.sessions.list_of(alice.number)) == 5

    async def test_a_login_on_a_device_ends_its_older_session(self, open_store: OpenStore) -> None:
        store, alice = await start(open_store)
        bob = await settle(store, "bob")
        await open_session(store, session_of(bob, "bob's", device_id="phone"))
        await open_session(store, session_of(alice, "tablet", device_id="tablet"))
        await open_session(store, session_of(alice, "first", device_id="phone", slot="platform:ios"))
        assert await open_session(store, session_of(alice, "second", device_id="phone")) == ["first"]
        assert await live(store, "bob's", "tablet", "first", "second") == ["bob's", "tablet", "second"]

    async def test_a_login_takes_the_place_of_the_session_it_came_with(self, open_store: OpenStore) -> None:
        store, alice = await start(open_store)
        bob = await settle(store, "bob")
        for who, name in ((alice, "one"), (alice, "two"), (bob, "bob's")):
            await open_session(store, session_of(who, name))

        async def log_in(name: str, replaces: bytes) -> list[str]:
            made = session_of(alice, name)
            ended = await store.write(
                lambda tx: tx.sessions.open(made, digest(name), None, most=CROWD, replaces=replaces)
            )
            return list(ended)

        assert await log_in("three", digest("one")) == ["one"]
        # Sessions of other accounts stay, and an empty `replaces` ends none.
        assert await log_in("four", digest("bob's")) == []
        assert await log_in("five", b"") == []
        assert await live(store, "one", "two", "three", "four", "five", "bob's") == [
            "two", "three", "four", "five", "bob's",
        ]  # fmt: skip

    async def test_beyond_the_cap_the_oldest_go(self, open_store: OpenStore) -> None:
        store, alice = await start(open_store)
        for n in range(3):
            assert await open_session(store, session_of(alice, f"s{n}", created_at=NOW + n), most=3) == []
        assert await open_session(store, session_of(alice, "s3", created_at=NOW + 3), most=3) == ["s0"]
        assert sorted(await open_session(store, session_of(alice, "s4", created_at=NOW + 4), most=1)) == [
            "s1", "s2", "s3",
        ]  # fmt: skip

    async def test_the_new_one_stays_whatever_its_clock_says(self, open_store: OpenStore) -> None:
        """Check with clocks of nodes that differ, and with several logins in one millisecond."""
        store, alice = await start(open_store)
        for n in range(3):
            await open_session(store, session_of(alice, f"z{n}", created_at=NOW + n * MINUTE), most=3)
        assert await open_session(store, session_of(alice, "late", created_at=NOW - MINUTE), most=3) == ["z0"]
        assert await open_session(store, session_of(alice, "a", created_at=NOW + MINUTE), most=3) == ["late"]
        assert await live(store, "a") == ["a"]

    async def test_the_cap_holds_whoever_races(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice = await settle(stores[0], "alice")
        ended = await race(
            stores, lambda store, n: open_session(store, session_of(alice, f"s{n}"), most=7), racers=CROWD
        )
        left = await live(stores[0], *(f"s{n}" for n in range(CROWD)))
        assert len(left) == 7
        assert sum(len(some) for some in ended) == CROWD - 7

    async def test_of_racers_with_one_pair_one_rotates_it(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice = await settle(stores[0], "alice")
        session = session_of(alice, "one", refresh_expires_at=NOW + 31 * DAY)
        await open_session(stores[0], session, digest("refresh"))
        renewed = replace(
            session,
            seen_at=after(NOW, 1),
            expires_at=after(NOW, 2),
            ends_at=after(NOW, 3),
            refresh_expires_at=after(NOW, 4),
            refreshes=1,
            refresh_paid_until=after(NOW, 5),
        )
        won = await race(
            stores,
            lambda store, n: store.write(
                lambda tx: tx.sessions.rotate(
                    digest("one"), digest("refresh"), digest(f"token{n}"), digest(f"refresh{n}"), renewed
                )
            ),
        )
        assert won.count(True) == 1
        winner = won.index(True)
        assert await live(stores[1], "one", *(f"token{n}" for n in range(RACERS))) == [f"token{winner}"]
        found = await stores[1].read.sessions.find(digest(f"token{winner}"))
        assert found is not None
        assert found[0] == renewed
        spent = await stores[1].read.sessions.find_spent_refresh(digest("refresh"))
        assert spent == SpentRefresh("one", alice.number, renewed.seen_at, paid_until=after(NOW, 5))
        assert await stores[1].read.sessions.find_spent_refresh(digest(f"refresh{winner}")) is None

    async def test_so_many_spent_refreshes_are_kept_of_a_session(self, open_store: OpenStore) -> None:
        """Check that the next one takes the place of the oldest, of its own session only."""
        store, alice = await start(open_store)
        session = session_of(alice, "one", refresh_expires_at=NOW + 31 * DAY)
        other = session_of(alice, "two", refresh_expires_at=NOW + 31 * DAY, refreshes=5)
        await open_session(store, session, digest("r0"))
        await open_session(store, other, digest("other"))
        await store.write(
            lambda tx: tx.sessions.rotate(digest("two"), digest("other"), digest("two"), digest("other2"), other)
        )
        counts = (5, 6, 5 + SPENT_KEPT, 6 + SPENT_KEPT)
        for turn, refreshes in enumerate(counts):
            renewed = replace(session, refreshes=refreshes)
            assert await store.write(
                lambda tx, turn=turn, renewed=renewed: tx.sessions.rotate(  # type: ignore[misc]
                    digest("one"), digest(f"r{turn}"), digest("one"), digest(f"r{turn + 1}"), renewed
                )
            )
            kept = [n for n in range(len(counts)) if await store.read.sessions.find_spent_refresh(digest(f"r{n}"))]
            assert kept == ([0], [0, 1], [1, 2], [2, 3])[turn]
        assert await store.read.sessions.find_spent_refresh(digest("other"))

    async def test_only_the_present_pair_rotates(self, open_store: OpenStore) -> None:
        store, alice = await start(open_store)
        session = session_of(alice, "one", refresh_expires_at=NOW + 31 * DAY)
        other = session_of(alice, "two", refresh_expires_at=NOW + 31 * DAY)
        await open_session(store, session, digest("refresh one"))
        await open_session(store, other, digest("refresh two"))

        async def rotate(token: str, refresh: str) -> bool:
            return await store.write(
                lambda tx: tx.sessions.rotate(digest(token), digest(refresh), digest("t"), digest("r"), session)
            )

        async def holds(token: str, refresh: str) -> bool:
            return await store.write(lambda tx: tx.sessions.holds(digest(token), digest(refresh)))

        for token, refresh in (("one", "refresh two"), ("one", "one"), ("refresh one", "refresh one"), ("x", "y")):
            assert not await holds(token, refresh)
            assert not await rotate(token, refresh)
        assert await holds("one", "refresh one")
        assert await rotate("one", "refresh one")
        assert not await rotate("one", "refresh one")
        assert await holds("t", "r")

    async def test_a_session_without_a_refresh_is_never_rotated(self, open_store: OpenStore) -> None:
        store, alice = await start(open_store)
        session = session_of(alice, "one")
        await open_session(store, session)
        for refresh in (b"", digest("")):
            assert not await store.write(
                lambda tx, refresh=refresh: tx.sessions.rotate(digest("one"), refresh, b"t", b"r", session)  # type: ignore[misc]
            )

    async def test_use_never_moves_an_instant_backwards(self, open_store: OpenStore) -> None:
        store, alice = await start(open_store)
        await open_session(store, session_of(alice, "one"))

        async def touch(seen: int, expires: int) -> tuple[int, int]:
            await store.write(lambda tx: tx.sessions.touch("one", Instant(seen), Instant(expires)))
            found = await store.read.sessions.check(digest("one"))
            assert found is not None
            return found.seen_at, found.expires_at

        end = NOW + 30 * DAY
        assert await touch(NOW + 5, end + 5) == (NOW + 5, end + 5)
        assert await touch(NOW + 4, end + 4) == (NOW + 5, end + 5)
        assert await touch(NOW + 6, end + 6) == (NOW + 6, end + 6)

    async def test_a_use_noted_late_brings_nothing_back(self, open_store: OpenStore) -> None:
        store, alice = await start(open_store)
        await open_session(store, session_of(alice, "one"))
        await store.write(lambda tx: tx.sessions.end("one", alice.number))
        await store.write(lambda tx: tx.sessions.touch("one", after(NOW, 1), after(NOW, DAY)))
        assert not await store.write(lambda tx: tx.sessions.prove("one", after(NOW, 1)))
        assert await live(store, "one") == []

    async def test_a_proof_is_noted(self, open_store: OpenStore) -> None:
        store, alice = await start(open_store)
        await store.write(lambda tx: open_in(tx, session_of(alice, "one")))
        await store.write(lambda tx: open_in(tx, session_of(alice, "two")))
        assert await store.write(lambda tx: tx.sessions.prove("one", after(NOW, 9)))
        proved = {s.session_id: s.proved_at for s in await store.read.sessions.list_of(alice.number)}
        assert proved == {"one": NOW + 9, "two": NOW}
