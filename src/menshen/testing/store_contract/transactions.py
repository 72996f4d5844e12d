"""Test transactions: atomic, visible after the commit, and completed even if the caller is cancelled."""

from __future__ import annotations

import asyncio

from menshen.core.audit.events import Event, Tag
from menshen.core.codes.one_time_codes import Taken
from menshen.core.delivery.senders import SenderTerms
from menshen.core.gates.limits import Claim, Hit
from menshen.core.identifiers import Identifier, Kind
from menshen.core.problems import Problem, ProblemCode
from menshen.core.tokens import digest
from menshen.ports.store.store import Store, WriteTx
from menshen.testing.store_contract import codes, journal
from menshen.testing.store_contract.racing import OpenStore, nodes, race
from menshen.testing.store_contract.records import NOW, newcomer, open_in, session_of, settle

ALICE = Identifier(Kind.USERNAME, "alice")
KEY = b"k" * 32


class ChangedMyMindError(Exception):
    """Stand for an exception of the work."""


class TransactionsContract:
    """Test `menshen.ports.store.store.Store.write`."""

    async def test_its_answer_is_the_works(self, open_store: OpenStore) -> None:
        store = await open_store()

        async def work(tx: WriteTx) -> str:
            return "answer"

        assert await store.write(work) == "answer"

    async def test_an_exception_leaves_nothing_and_comes_out(self, open_store: OpenStore) -> None:
        store = await open_store()
        bob = await settle(store, "bob")
        await codes.put(store, codes.challenge())

        async def work(tx: WriteTx) -> None:
            await tx.accounts.add(newcomer("alice"))
            await tx.accounts.set_password(bob.number, "p", now=NOW)
            await open_in(tx, session_of(bob, "one"))
            assert await tx.codes.take(codes.KEY, [codes.RIGHT], NOW) is Taken.MATCHED
            await tx.counters.hit([Hit(KEY, 1000, 1)], NOW)
            await tx.counters.charge([Claim(KEY, 1, 1000)], NOW)
            assert await tx.captchas.spend_nonce("n", NOW)
            await tx.devices.remember(bob.number, b"d", NOW)
            await tx.outbox.put(journal.MESSAGE)
            await tx.sender_days.charge(SenderTerms("main"), 1)
            await tx.audit.append(Event(Tag.LOGIN_FAILED, NOW))
            await tx.upkeep.raise_epoch()
            raise ChangedMyMindError

        try:
            await store.write(work)
        except ChangedMyMindError:
            pass
        else:
            raise AssertionError("it was swallowed")
        read = store.read
        assert await read.accounts.find_owner(ALICE) is None
        assert await read.accounts.find(bob.number) == bob
        assert await read.sessions.find(digest("one")) is None
        assert await codes.take(store, codes.RIGHT) is Taken.MATCHED
        assert await store.write(lambda tx: tx.counters.peek(KEY, NOW)) == 0
        assert await store.write(lambda tx: tx.counters.charge([Claim(KEY, 1, 1000)], NOW)) is None
        assert await store.write(lambda tx: tx.captchas.spend_nonce("n", NOW))
        assert not await read.devices.known(bob.number, b"d")
        assert list(await read.outbox.list_all()) == []
        assert list(await read.sender_days.of_day(1)) == []
        assert list(await read.audit.list_events()) == []

    async def test_a_transaction_sees_its_own_changes_and_others_see_them_when_it_is_done(
        self, open_store: OpenStore
    ) -> None:
        stores = await nodes(open_store)
        before = []

        async def work(tx: WriteTx) -> bool:
            await tx.accounts.add(newcomer("alice"))
            before.append(await stores[1].read.accounts.find_owner(ALICE))
            return await tx.accounts.find_owner(ALICE) is not None

        assert await stores[0].write(work)
        assert before == [None]
        # All stores see a committed change at once.
        for store in stores:
            assert await store.read.accounts.find_owner(ALICE)

    async def test_of_writes_that_go_together_one_that_fails_takes_no_other_along(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)

        async def run(store: Store, n: int) -> bool:
            async def work(tx: WriteTx) -> None:
                await tx.accounts.add(newcomer(f"user{n}"))
                await tx.audit.append(Event(Tag.ACCOUNT_REGISTERED, NOW, n))
                if n % 3 == 0:
                    raise ChangedMyMindError

            try:
                await store.write(work)
            except ChangedMyMindError:
                return False
            return True

        done = await race([stores[0]], run, racers=60)
        assert done == [n % 3 != 0 for n in range(60)]
        told = {event.account_number for event in await stores[1].read.audit.list_events()}
        assert told == {n for n in range(60) if n % 3}
        for n in range(60):
            found = await stores[1].read.accounts.find_owner(Identifier(Kind.USERNAME, f"user{n}"))
            assert (found is not None) == (n % 3 != 0)

    async def test_it_happens_although_its_caller_went_away(self, open_store: OpenStore) -> None:
        store = await open_store()
        writing = asyncio.ensure_future(store.write(lambda tx: tx.accounts.add(newcomer("alice"))))
        await asyncio.sleep(0)
        writing.cancel()
        await asyncio.wait([writing])
        assert writing.cancelled()
        # Closing waits for running transactions.
        await store.close()
        assert await (await open_store()).read.accounts.find_owner(ALICE)

    async def test_what_was_acknowledged_is_there_when_the_store_opens_again(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        await store.write(lambda tx: open_in(tx, session_of(alice, "one")))
        await store.write(lambda tx: tx.audit.append(Event(Tag.LOGIN_SUCCEEDED, NOW)))
        await journal.put(store, journal.MESSAGE)
        await store.close()
        again = await open_store()
        assert await again.read.sessions.find(digest("one"))
        assert [event.tag for event in await again.read.audit.list_events()] == [Tag.LOGIN_SUCCEEDED]
        assert [stored.message for stored in await again.read.outbox.list_all()] == [journal.MESSAGE]

    async def test_a_closed_store_writes_no_more(self, open_store: OpenStore) -> None:
        store = await open_store()
        assert await store.ready()
        await store.close()
        await store.close()
        try:
            await store.write(lambda tx: tx.accounts.add(newcomer("alice")))
        except Problem as problem:
            assert problem.denied.code is ProblemCode.UNAVAILABLE  # noqa: PT017 - the suite needs no test runner
        else:
            raise AssertionError("it wrote after it was closed")
