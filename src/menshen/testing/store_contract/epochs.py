"""Test the epoch: one short write refuses everything issued before, and the rows go later, a batch at a time."""

from __future__ import annotations

from dataclasses import replace

from menshen.core.codes.one_time_codes import CodeChallenge, Taken
from menshen.core.delivery.messages import Channel, Message, Template, Try
from menshen.core.gates.captcha import CHALLENGE_LIFETIME, Action
from menshen.core.time import DAY, SECOND, Instant, after
from menshen.core.tokens import digest
from menshen.ports.store.imports import ImportedSession
from menshen.ports.store.store import Store, WriteTx
from menshen.testing.store_contract.codes import KEY, RIGHT
from menshen.testing.store_contract.journal import mark_sent
from menshen.testing.store_contract.racing import OpenStore, nodes, race
from menshen.testing.store_contract.records import NOW, live, open_session, session_of, settle

END = after(NOW, 300 * SECOND)
NET = "192.0.2.0/24"
CODE = Message(Channel.SMS, "+8613544285662", Template.CODE_LOGIN, "zh", NOW, code="040719")
NOTICE = Message(Channel.SMS, "+8613544285662", Template.PASSWORD_CHANGED, "zh", NOW)


async def raised(store: Store, now: Instant = NOW) -> int:
    return await store.write(lambda tx: tx.upkeep.raise_epoch(now))


async def clear(store: Store, batch: int = 100) -> int | None:
    return await store.write(lambda tx: tx.upkeep.clear_epochs(batch=batch))


async def clear_all(store: Store, batch: int = 100) -> int:
    gone = 0
    while (deleted := await clear(store, batch)) is not None:
        gone += deleted
    return gone


async def put_code(store: Store, *, by: bytes = b"") -> None:
    await store.write(lambda tx: tx.codes.put(CodeChallenge(KEY, RIGHT, by, NOW, END)))


async def spend(store: Store, nonce: str, issued_at: int, lifetime: int = CHALLENGE_LIFETIME) -> bool:
    start = Instant(issued_at)
    return await store.write(lambda tx: tx.captchas.spend_challenge(nonce, start, after(start, lifetime)))


class EpochsContract:
    """Test `raise_epoch` and `clear_epochs` of `menshen.ports.store.store.Upkeep`."""

    async def test_a_verified_code_and_its_captcha_end_with_the_epoch(self, open_store: OpenStore) -> None:
        store, other = await open_store(), await open_store()
        await put_code(store, by=b"captcha")
        found = await store.read.codes.find(KEY, NOW)
        assert found is not None
        assert found.captcha == b"captcha"
        assert await store.write(lambda tx: tx.codes.verify(KEY, [RIGHT], NOW, by=b"net")) is Taken.MATCHED
        await raised(other)
        assert await store.read.codes.find(KEY, NOW) is None
        assert not await store.write(lambda tx: tx.codes.consume(KEY, NOW, by=b"net"))
        assert await store.write(lambda tx: tx.codes.verify(KEY, [RIGHT], NOW)) is Taken.DEAD
        # The next code stands in the same row.
        await put_code(store)
        assert await store.write(lambda tx: tx.codes.take(KEY, [RIGHT], NOW)) is Taken.MATCHED

    async def test_a_session_that_ended_with_the_epoch_is_not_ended_again(self, open_store: OpenStore) -> None:
        store, other = await open_store(), await open_store()
        alice = await settle(store, "alice")
        for name in ("web", "ios", "pad"):
            await open_session(store, session_of(alice, name, slot=f"platform:{name}"))
        await raised(other)
        again = await open_session(store, session_of(alice, "web2", slot="platform:web"))
        assert again == []
        assert not await store.write(lambda tx: tx.sessions.end("ios", alice.number))
        assert (
            await store.write(lambda tx: tx.sessions.end_by_token(digest("pad"), before_login_of=alice.number)) is None
        )
        assert await store.write(lambda tx: tx.sessions.end_all(alice.number)) == ["web2"]

    async def test_passes_and_images_end_with_the_epoch(self, open_store: OpenStore) -> None:
        store, other = await open_store(), await open_store()

        async def fill(tx: WriteTx) -> None:
            await tx.captchas.add_pass(b"pass", 1, NET, END)
            await tx.captchas.open_image(b"drawn", 1, END)
            await tx.captchas.set_answer(b"drawn", b"answer", NOW, END)
            await tx.captchas.open_image(b"open", 1, END)

        await store.write(fill)
        await raised(other)
        assert not await store.write(lambda tx: tx.captchas.spend_pass(b"pass", Action.RESET, 1, NET, NOW))
        assert await store.write(lambda tx: tx.captchas.answer(b"drawn", 1, [b"answer"], NOW)) is Taken.DEAD
        assert not await store.write(lambda tx: tx.captchas.set_answer(b"open", b"answer", NOW, END))

    async def test_a_challenge_of_before_is_refused_and_one_of_after_is_not(self, open_store: OpenStore) -> None:
        store = await open_store()
        assert await spend(store, "first", NOW - SECOND)
        await raised(store, NOW)
        assert not await spend(store, "old", NOW - SECOND)
        assert not await spend(store, "older", NOW - CHALLENGE_LIFETIME)
        assert await spend(store, "new", NOW + 1)
        assert not await spend(store, "new", NOW + 1)

    async def test_a_raise_by_a_clock_that_is_ahead_refuses_no_new_challenge(self, open_store: OpenStore) -> None:
        store = await open_store()
        await raised(store, after(NOW, 365 * DAY))
        assert await spend(store, "new", NOW)

    async def test_what_was_spent_stays_spent(self, open_store: OpenStore) -> None:
        store = await open_store()
        assert await store.write(lambda tx: tx.captchas.spend_nonce("sign", END))
        await raised(store)
        await clear_all(store)
        assert not await store.write(lambda tx: tx.captchas.spend_nonce("sign", END))

    async def test_codes_that_wait_are_not_sent_and_notices_are(self, open_store: OpenStore) -> None:
        store, other = await open_store(), await open_store()
        waiting = await store.write(lambda tx: tx.outbox.put(CODE))
        sent = await store.write(lambda tx: tx.outbox.put(CODE))
        await store.write(lambda tx: mark_sent(tx, sent, NOW))
        notice = await store.write(lambda tx: tx.outbox.put(NOTICE))
        await raised(other)
        assert [stored.message_id for stored in await store.read.outbox.due(CODE.channel, NOW)] == [notice]
        assert not await store.write(lambda tx: tx.outbox.claim(Try(waiting, "main", NOW)))
        later = await store.write(lambda tx: tx.outbox.put(CODE))
        assert [stored.message_id for stored in await other.read.outbox.due(CODE.channel, NOW)] == [later, notice]
        await clear_all(store)
        assert [stored.message_id for stored in await store.read.outbox.list_all()] == [sent, notice, later]

    async def test_the_rows_of_before_go_and_no_others(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        for n in range(7):
            await open_session(store, session_of(alice, f"old{n}"))
        await put_code(store)
        await raised(store)
        for n in range(3):
            await open_session(store, session_of(alice, f"new{n}"), most=20)
        # Opening a session removes the dead ones of its account.
        bob = await settle(store, "bob")
        await open_session(store, session_of(bob, "mid"))
        await raised(store)
        await open_session(store, session_of(alice, "newest"))
        assert await clear_all(store, batch=2) == 2, "the code, and bob's session"
        assert await live(store, "newest", "mid") == ["newest"]
        assert await clear(store) is None

    async def test_clearing_goes_on_where_another_stopped(self, open_store: OpenStore) -> None:
        store = await open_store()
        for n in range(6):
            account = await settle(store, f"user{n}")
            await open_session(store, session_of(account, f"s{n}"))
        await raised(store)
        assert await clear(store, batch=2) == 0, "nothing small was there"
        assert await clear(store, batch=2) == 2
        await store.close()
        again = await open_store()
        assert await clear(again, batch=2) == 2
        # A raise in the middle begins anew, for what was issued since.
        carol = await settle(again, "carol")
        await open_session(again, session_of(carol, "a-new-one"))
        await raised(again)
        assert await clear_all(again, batch=2) == 3

    async def test_two_that_clear_at_once_clear_once(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        for n in range(20):
            account = await settle(stores[0], f"user{n}")
            await open_session(stores[0], session_of(account, f"s{n}"))
        await raised(stores[0])
        assert sum(await race(stores, lambda store, _: clear_all(store, batch=3), racers=len(stores))) == 20
        assert await clear(stores[0]) is None

    async def test_dead_sessions_keep_no_place(self, open_store: OpenStore) -> None:
        """Check that they count neither for the most sessions of an account, nor for a slot of an import."""
        store = await open_store()
        alice = await settle(store, "alice")
        # Their clock was ahead: by the instants alone, they are the newest.
        for n in range(3):
            await open_session(store, session_of(alice, f"old{n}", created_at=after(NOW, DAY)), most=3)
        await raised(store)
        for n in range(3):
            await open_session(store, session_of(alice, f"new{n}"), most=3)
        assert await live(store, "new0", "new1", "new2") == ["new0", "new1", "new2"]
        await open_session(store, session_of(alice, "dead", slot="web"))
        await raised(store)
        carried = session_of(alice, "carried", slot="web", created_at=after(NOW, -DAY))
        imported = ImportedSession(carried, digest("carried"), digest("refresh"), END)
        assert await store.write(lambda tx: tx.imports.add_sessions([imported])) == {"carried"}
        assert await live(store, "carried") == ["carried"]

    async def test_a_code_replaced_in_a_later_epoch_is_good_there(self, open_store: OpenStore) -> None:
        store = await open_store()
        await put_code(store)
        await raised(store)
        await put_code(store)
        await clear_all(store)
        other = replace(KEY, app_id=2)
        await store.write(lambda tx: tx.codes.put(CodeChallenge(other, RIGHT, b"", NOW, END)))
        assert await store.write(lambda tx: tx.codes.take(KEY, [RIGHT], NOW)) is Taken.MATCHED
        assert await store.write(lambda tx: tx.codes.take(other, [RIGHT], NOW)) is Taken.MATCHED
