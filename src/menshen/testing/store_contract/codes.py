"""Test one-time codes: counted, bound, and valid once."""

from __future__ import annotations

from dataclasses import replace

from menshen.core.codes.one_time_codes import (
    LIFETIME,
    TRIES,
    TRIES_OF_OTHERS,
    CodeChallenge,
    CodeKey,
    Purpose,
    SentCode,
    Taken,
)
from menshen.core.time import Instant, after
from menshen.ports.store.store import Store
from menshen.testing.store_contract.racing import RACERS, OpenStore, nodes, race
from menshen.testing.store_contract.records import NOW, settle

KEY = CodeKey(1, Purpose.LOGIN, "+8613544285662")
RIGHT, WRONG, OLDER = b"right" * 6, b"wrong" * 6, b"older" * 6
END = after(NOW, LIFETIME)
CROWD = 50


def challenge(key: CodeKey = KEY, mac: bytes = RIGHT, captcha: bytes = b"") -> CodeChallenge:
    return CodeChallenge(key, mac, captcha, NOW, END)


async def put(store: Store, code: CodeChallenge) -> None:
    await store.write(lambda tx: tx.codes.put(code))


async def find(store: Store, *, key: CodeKey = KEY, now: Instant = NOW, asker: bytes = b"") -> SentCode | None:
    return await store.read.codes.find(key, now, asker=asker)


def sent(captcha: bytes = b"", *, live: bool, own: bool, asked_by: bytes = b"") -> SentCode:
    """Make what `find` gives of a code that its asker, if it was another, may still try."""
    return SentCode(captcha, live, own, live or not own, asked_by)


async def take(store: Store, *macs: bytes, key: CodeKey = KEY, now: Instant = NOW, asker: bytes = b"") -> Taken:
    return await store.write(lambda tx: tx.codes.take(key, macs, now, asker=asker))


async def verify(store: Store, *macs: bytes, key: CodeKey = KEY, now: Instant = NOW, asker: bytes = b"") -> Taken:
    return await store.write(lambda tx: tx.codes.verify(key, macs, now, asker=asker))


async def consume(store: Store, key: CodeKey = KEY, now: Instant = NOW) -> bool:
    return await store.write(lambda tx: tx.codes.consume(key, now))


class CodesContract:
    """Test `menshen.ports.store.codes`."""

    async def test_the_right_code_matches_once(self, open_store: OpenStore) -> None:
        store = await open_store()
        await put(store, challenge())
        assert await take(store, WRONG) is Taken.WRONG
        assert await take(store, RIGHT) is Taken.MATCHED
        assert await take(store, RIGHT) is Taken.DEAD
        assert await take(store, WRONG) is Taken.DEAD

    async def test_of_racers_with_the_right_code_one_matches(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        for _ in range(5):
            await put(stores[0], challenge())
            got = await race(stores, lambda store, _: take(store, RIGHT), racers=CROWD)
            assert got.count(Taken.MATCHED) == 1
            assert got.count(Taken.DEAD) == CROWD - 1

    async def test_guessers_get_no_more_tries_by_racing(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        for lucky in (0, CROWD - 1):
            await put(stores[0], challenge())
            got = await race(stores, lambda store, n, lucky=lucky: take(store, RIGHT if n == lucky else WRONG), CROWD)  # type: ignore[misc]
            judged = [taken for taken in got if taken is not Taken.DEAD]
            assert len(judged) <= TRIES
            assert got[lucky] in {Taken.MATCHED, Taken.DEAD}
            assert (Taken.MATCHED in judged) or len(judged) == TRIES

    async def test_five_wrong_tries_kill_it(self, open_store: OpenStore) -> None:
        store = await open_store()
        await put(store, challenge())
        for _ in range(TRIES - 1):
            assert await take(store, WRONG) is Taken.WRONG
        await put(store, challenge())
        for _ in range(TRIES):
            assert await take(store, WRONG) is Taken.WRONG
        assert await take(store, RIGHT) is Taken.DEAD
        assert await verify(store, RIGHT) is Taken.DEAD

    async def test_the_last_try_may_be_right(self, open_store: OpenStore) -> None:
        store = await open_store()
        await put(store, challenge())
        for _ in range(TRIES - 1):
            await take(store, WRONG)
        assert await take(store, RIGHT) is Taken.MATCHED

    async def test_it_lives_until_its_last_millisecond(self, open_store: OpenStore) -> None:
        store = await open_store()
        for attempt in (take, verify):
            await put(store, challenge())
            assert await attempt(store, RIGHT, now=after(END, -1)) is Taken.MATCHED
            await put(store, challenge())
            assert await attempt(store, RIGHT, now=END) is Taken.DEAD

    async def test_a_newer_code_ends_the_older(self, open_store: OpenStore) -> None:
        store = await open_store()
        await put(store, challenge(mac=OLDER))
        await put(store, challenge())
        assert await take(store, OLDER) is Taken.WRONG
        assert await take(store, RIGHT) is Taken.MATCHED

    async def test_a_newer_code_ends_a_verified_one(self, open_store: OpenStore) -> None:
        store = await open_store()
        await put(store, challenge(mac=OLDER))
        assert await verify(store, OLDER) is Taken.MATCHED
        await put(store, challenge())
        assert not await consume(store)

    async def test_it_is_bound_to_app_purpose_and_subject(self, open_store: OpenStore) -> None:
        store = await open_store()
        await put(store, challenge())
        others = [
            CodeKey(app, purpose, subject)
            for app in (1, 2)
            for purpose in Purpose
            for subject in (KEY.subject, "+8613544285663", "a@b.example")
            if (app, purpose, subject) != (KEY.app_id, KEY.purpose, KEY.subject)
        ]
        for other in others:
            assert await take(store, RIGHT, key=other) is Taken.DEAD
            assert await verify(store, RIGHT, key=other) is Taken.DEAD
            assert not await consume(store, other)
        assert await take(store, RIGHT) is Taken.MATCHED

    async def test_codes_of_several_keys_live_beside_each_other(self, open_store: OpenStore) -> None:
        store = await open_store()
        keys = [replace(KEY, purpose=purpose) for purpose in Purpose] + [replace(KEY, app_id=2)]
        for n, key in enumerate(keys):
            await put(store, challenge(key, bytes((n,)) * 32))
        for n, key in enumerate(keys):
            assert await take(store, bytes((n,)) * 32, key=key) is Taken.MATCHED

    async def test_a_code_under_the_key_before_still_fits(self, open_store: OpenStore) -> None:
        store = await open_store()
        await put(store, challenge(mac=OLDER))
        assert await take(store, RIGHT, OLDER) is Taken.MATCHED
        await put(store, challenge())
        assert await take(store, RIGHT, OLDER) is Taken.MATCHED

    async def test_a_verified_code_is_consumed_once_whoever_races(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        await put(stores[0], challenge())
        assert not await consume(stores[0])
        got = await race(stores, lambda store, _: verify(store, RIGHT))
        assert got.count(Taken.MATCHED) == 1
        assert got.count(Taken.DEAD) == RACERS - 1
        won = await race(stores, lambda store, _: consume(store))
        assert won.count(True) == 1
        assert await take(stores[0], RIGHT) is Taken.DEAD

    async def test_what_is_told_wrong_is_not_verified(self, open_store: OpenStore) -> None:
        store = await open_store()
        await put(store, challenge())
        assert await verify(store, WRONG) is Taken.WRONG
        assert not await consume(store)

    async def test_a_verified_code_is_consumed_by_whoever_verified_it(self, open_store: OpenStore) -> None:
        store = await open_store()
        await put(store, challenge())
        verified = await store.write(lambda tx: tx.codes.verify(KEY, [RIGHT, RIGHT], NOW, by=b"here"))
        assert verified is Taken.MATCHED
        for other in (b"there", b"", b"her", b"here\0"):
            assert not await store.write(lambda tx, other=other: tx.codes.consume(KEY, NOW, by=other))  # type: ignore[misc]
        assert await store.write(lambda tx: tx.codes.consume(KEY, NOW, by=b"here"))

    async def test_a_verified_code_expires_too(self, open_store: OpenStore) -> None:
        store = await open_store()
        await put(store, challenge())
        assert await verify(store, RIGHT) is Taken.MATCHED
        assert await consume(store, now=after(END, -1))
        await put(store, challenge())
        assert await verify(store, RIGHT) is Taken.MATCHED
        assert not await consume(store, now=END)

    async def test_a_code_that_was_told_to_have_expired_stays_so_when_the_clock_goes_back(
        self, open_store: OpenStore
    ) -> None:
        """Check with a clock that goes back. (docs/security/attacks.md SG-7.)"""
        store = await open_store()
        for expired in (take, verify):
            await put(store, challenge())
            assert await expired(store, RIGHT, now=END) is Taken.DEAD
            assert await take(store, RIGHT) is Taken.DEAD
            assert await find(store) == sent(b"", live=False, own=True)
        await put(store, challenge())
        assert await verify(store, RIGHT) is Taken.MATCHED
        assert not await consume(store, now=END)
        assert not await consume(store)
        # Only that code is invalid, not the next one of its owner.
        await put(store, challenge())
        assert await take(store, RIGHT) is Taken.MATCHED

    async def test_a_verified_code_can_still_be_taken_and_is_then_spent(self, open_store: OpenStore) -> None:
        store = await open_store()
        await put(store, challenge())
        assert await verify(store, RIGHT) is Taken.MATCHED
        assert await take(store, RIGHT) is Taken.MATCHED
        assert not await consume(store)

    async def test_a_subjects_codes_die_together(self, open_store: OpenStore) -> None:
        store = await open_store()
        mine = [KEY, replace(KEY, purpose=Purpose.RESET), replace(KEY, app_id=2)]
        other = replace(KEY, subject="a@b.example")
        for key in (*mine, other):
            await put(store, challenge(key))
        await store.write(lambda tx: tx.codes.drop(KEY.subject))
        assert [await take(store, RIGHT, key=key) for key in mine] == [Taken.DEAD] * 3
        assert await take(store, RIGHT, key=other) is Taken.MATCHED

    async def test_the_captcha_it_was_sent_with_is_remembered(self, open_store: OpenStore) -> None:
        store = await open_store()
        assert await find(store) is None
        await put(store, challenge(captcha=b"pass"))
        assert await find(store) == sent(b"pass", live=True, own=True)
        assert await find(store, key=replace(KEY, app_id=2)) is None
        await take(store, RIGHT)
        assert await find(store) == sent(b"pass", live=False, own=True)
        await put(store, challenge())
        assert await find(store) == sent(b"", live=True, own=True)

    async def test_a_code_is_live_until_it_is_spent_verified_expired_or_out_of_tries(
        self, open_store: OpenStore
    ) -> None:
        store = await open_store()

        async def live(now: Instant = NOW) -> bool:
            found = await find(store, now=now)
            return found is not None and found.live

        await put(store, challenge())
        assert [await live(), await live(Instant(END - 1)), await live(END)] == [True, True, False]
        for n in range(TRIES):
            assert await live(), n
            await take(store, WRONG)
        assert not await live()
        await put(store, challenge())
        await verify(store, RIGHT)
        assert not await live()

    async def test_others_have_a_part_of_the_tries_and_who_asked_keeps_the_rest(self, open_store: OpenStore) -> None:
        """Check the tries that strangers cannot use up. (docs/security/attacks.md OT-19.)"""
        store = await open_store()
        for attempt in (take, verify):
            await put(store, replace(challenge(), asked_by=b"home"))
            for n in range(TRIES_OF_OTHERS):
                assert await find(store, asker=b"away") == sent(live=True, own=False, asked_by=b"home"), n
                assert await attempt(store, WRONG, asker=b"away") is Taken.WRONG
            assert await find(store, asker=b"away") == sent(live=False, own=False, asked_by=b"home")
            assert await attempt(store, RIGHT, asker=b"away") is Taken.DEAD
            assert await attempt(store, RIGHT, asker=b"beyond") is Taken.DEAD
            assert await find(store, asker=b"home") == sent(live=True, own=True, asked_by=b"home")
            assert await attempt(store, WRONG, asker=b"home") is Taken.WRONG
            assert await attempt(store, RIGHT, asker=b"home") is Taken.MATCHED

    async def test_who_asked_may_use_all_tries_and_then_none_is_left(self, open_store: OpenStore) -> None:
        store = await open_store()
        await put(store, replace(challenge(), asked_by=b"home"))
        for _ in range(TRIES):
            assert await take(store, WRONG, asker=b"home") is Taken.WRONG
        assert await take(store, RIGHT, asker=b"away") is Taken.DEAD
        # The next code is asked for by another network.
        await put(store, replace(challenge(), asked_by=b"away"))
        assert await find(store, asker=b"home") == sent(live=True, own=False, asked_by=b"away")
        assert await take(store, RIGHT, asker=b"away") is Taken.MATCHED

    async def test_strangers_that_race_use_no_more_than_their_part(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        for _ in range(5):
            await put(stores[0], replace(challenge(), asked_by=b"home"))
            got = await race(stores, lambda store, n: take(store, WRONG, asker=b"away%d" % n), racers=CROWD)
            assert got.count(Taken.WRONG) == TRIES_OF_OTHERS
            assert await take(stores[0], RIGHT, asker=b"home") is Taken.MATCHED

    async def test_a_spent_code_stays_spent_when_the_store_opens_again(self, open_store: OpenStore) -> None:
        store = await open_store()
        await put(store, challenge())
        await put(store, challenge(replace(KEY, app_id=2)))
        await take(store, RIGHT)
        await store.close()
        again = await open_store()
        assert await take(again, RIGHT) is Taken.DEAD
        assert await take(again, RIGHT, key=replace(KEY, app_id=2)) is Taken.MATCHED

    async def test_an_epoch_kills_codes(self, open_store: OpenStore) -> None:
        store = await open_store()
        await put(store, challenge())
        await store.write(lambda tx: tx.upkeep.raise_epoch())
        assert await take(store, RIGHT) is Taken.DEAD

    async def test_a_spent_code_stands_until_it_is_deleted_or_the_epoch_ends(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")

        async def stands(key: CodeKey = KEY) -> tuple[bool, bool]:
            """Give what `stands` says, and whether a login by the code is recorded."""
            number = alice.number
            login = await store.write(
                lambda tx: tx.accounts.record_login(number, ip="", now=NOW, password_version=None, by=key)
            )
            return await store.write(lambda tx: tx.codes.stands(key)), login is not None

        assert await stands() == (False, False)
        for end in ("deleted", "epoch"):
            await put(store, challenge())
            await take(store, RIGHT)
            assert await stands() == (True, True)
            # A stranger asked for another one.
            await put(store, challenge(mac=OLDER))
            assert await stands() == (True, True)
            for key in (replace(KEY, app_id=2), replace(KEY, purpose=Purpose.RESET), replace(KEY, subject="+861")):
                assert await stands(key) == (False, False)
            if end == "deleted":
                await store.write(lambda tx: tx.codes.drop(KEY.subject))
            else:
                await store.write(lambda tx: tx.upkeep.raise_epoch())
            assert await stands() == (False, False)
