"""Test sweeping: all expired rows are deleted, and no valid ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from menshen.core.audit.events import Event, Tag
from menshen.core.codes.one_time_codes import CodeChallenge, Taken
from menshen.core.delivery.messages import MessageState, Try
from menshen.core.delivery.verdicts import Verdict
from menshen.core.gates.captcha import Action
from menshen.core.gates.limits import Claim, Hit
from menshen.core.sessions.sessions import REUSE_GRACE
from menshen.core.time import DAY, HOUR, NEVER, Instant, after
from menshen.core.tokens import digest
from menshen.ports.store.store import Store, WriteTx
from menshen.testing.store_contract import codes, journal
from menshen.testing.store_contract.racing import OpenStore
from menshen.testing.store_contract.records import NOW, live, open_session, session_of, settle

AUDIT_DAYS = 180
LONG_AGO = after(NOW, -400 * DAY)
NET = "192.0.2.0/24"


async def sweep(store: Store, now: Instant = NOW, batch: int = 500) -> int:
    return await store.write(lambda tx: tx.upkeep.sweep(now, audit_days=AUDIT_DAYS, batch=batch))


class UpkeepContract:
    """Test `menshen.ports.store.store.Upkeep.sweep`."""

    async def test_nothing_alive_goes(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        soon = after(NOW, 1)

        async def fill(tx: WriteTx) -> None:
            await tx.codes.put(CodeChallenge(codes.KEY, codes.RIGHT, b"", NOW, soon))
            await tx.captchas.spend_nonce("n", soon)
            await tx.captchas.add_pass(b"p", 1, NET, soon)
            await tx.captchas.open_image(b"i", 1, soon)
            await tx.counters.hit([Hit(b"k", HOUR, 1)], after(NOW, 1 - HOUR))
            await tx.counters.charge([Claim(b"q", 1, HOUR)], after(NOW, 1 - HOUR))
            await tx.devices.remember(alice.number, b"d", LONG_AGO)
            await tx.audit.append(Event(Tag.LOGIN_FAILED, after(NOW, 1 - AUDIT_DAYS * DAY)))

        await store.write(fill)
        (unsent,) = await journal.put(store, replace(journal.MESSAGE, created_at=LONG_AGO))
        (sent,) = await journal.put(store, journal.MESSAGE)
        await store.write(lambda tx: journal.mark_sent(tx, sent, after(NOW, -DAY)))
        await open_session(store, session_of(alice, "live", expires_at=soon))
        # The token expired long ago, but the session can still be refreshed.
        refreshable = session_of(alice, "lapsed", expires_at=LONG_AGO, refresh_expires_at=soon)
        await open_session(store, refreshable, digest("refresh"))
        rotated = session_of(alice, "rotated", seen_at=after(NOW, -31 * DAY - REUSE_GRACE + 1), refresh_expires_at=soon)
        await open_session(store, rotated, digest("spent"))
        await store.write(lambda tx: tx.sessions.rotate(digest("rotated"), digest("spent"), b"t", b"r", rotated))

        for _ in range(2):
            await sweep(store)
        assert await codes.take(store, codes.RIGHT) is Taken.MATCHED
        assert not await store.write(lambda tx: tx.captchas.spend_nonce("n", soon))
        assert await store.write(lambda tx: tx.captchas.spend_pass(b"p", Action.RESET, 1, NET, NOW))
        assert await store.write(lambda tx: tx.captchas.set_answer(b"i", b"", NOW, soon))
        assert await store.write(lambda tx: tx.counters.peek(b"k", NOW)) == 1
        assert await store.write(lambda tx: tx.counters.charge([Claim(b"q", 1, HOUR)], NOW)) == 1
        assert await store.read.devices.known(alice.number, b"d")
        assert len(await store.read.audit.list_events()) == 1
        assert [s.message_id for s in await store.read.outbox.list_all()] == [unsent, sent]
        assert await live(store, "live", "lapsed") == ["live", "lapsed"]
        assert await store.read.sessions.find(b"t")
        assert await store.read.sessions.find_spent_refresh(digest("spent"))

    async def test_everything_dead_goes_a_batch_at_a_time(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        end = after(LONG_AGO, 1)

        async def fill(n: int, tx: WriteTx) -> None:
            key = f"{n}".encode()
            subject = replace(codes.KEY, subject=f"+86{n}")
            await tx.codes.put(CodeChallenge(subject, codes.RIGHT, b"", LONG_AGO, end))
            await tx.captchas.spend_nonce(f"{n}", end)
            await tx.captchas.add_pass(key, 1, NET, end)
            await tx.captchas.open_image(key, 1, end)
            await tx.counters.hit([Hit(key, 1, 1)], LONG_AGO)
            await tx.counters.charge([Claim(key, 1, 1)], LONG_AGO)
            await tx.audit.append(Event(Tag.LOGIN_FAILED, LONG_AGO))
            dead = session_of(
                alice, f"s{n}", created_at=LONG_AGO, seen_at=LONG_AGO, expires_at=end, ends_at=end,
                refresh_expires_at=end,
            )  # fmt: skip
            await tx.accounts.record_login(alice.number, ip="", now=LONG_AGO, password_version=None)
            await tx.sessions.open(dead, digest(f"s{n}"), digest(f"r{n}"), most=20)
            await tx.sessions.rotate(digest(f"s{n}"), digest(f"r{n}"), digest(f"t{n}"), digest(f"q{n}"), dead)
            sent = await tx.outbox.put(replace(journal.MESSAGE, created_at=LONG_AGO))
            await journal.mark_sent(tx, sent, LONG_AGO)
            failed = await tx.outbox.put(replace(journal.MESSAGE, created_at=LONG_AGO))
            await tx.outbox.shelve(failed, MessageState.EXPIRED)

        for n in range(3):
            await store.write(lambda tx, n=n: fill(n, tx))  # type: ignore[misc]
        # First two of each kind, then the third. Failed and sent messages are in one table.
        assert [await sweep(store, batch=2) for _ in range(4)] == [20, 11, 2, 0]
        for n in range(3):
            assert await store.read.sessions.find(digest(f"t{n}")) is None
            assert await store.read.sessions.find_spent_refresh(digest(f"r{n}")) is None
            assert await codes.find(store, key=replace(codes.KEY, subject=f"+86{n}")) is None
        assert list(await store.read.outbox.list_all()) == []
        assert list(await store.read.audit.list_events()) == []

    async def test_a_spent_challenge_outlives_clocks_that_differ(self, open_store: OpenStore) -> None:
        """Check with a sweeping node whose clock is ahead of the node that gets the challenge again."""
        store = await open_store()
        await store.write(lambda tx: tx.captchas.spend_nonce("n", NOW))
        await sweep(store, after(NOW, HOUR))
        assert not await store.write(lambda tx: tx.captchas.spend_nonce("n", NOW))

    async def test_a_lapsed_session_is_told_from_an_unknown_one_for_a_day(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        await open_session(store, session_of(alice, "one", expires_at=NOW, refresh_expires_at=NEVER))
        await sweep(store, after(NOW, DAY - 1))
        assert await live(store, "one") == ["one"]
        await sweep(store, after(NOW, DAY))
        assert await live(store, "one") == []

    async def test_an_empty_database_is_swept_and_aged(self, open_store: OpenStore) -> None:
        store = await open_store()
        assert await sweep(store) == 0
        works: list[Callable[[WriteTx], Awaitable[Any]]] = [
            lambda tx: tx.sessions.end("x", 1),
            lambda tx: tx.sessions.end_all(1),
            lambda tx: tx.codes.drop("x"),
            lambda tx: tx.counters.clear([b"x"]),
            lambda tx: tx.outbox.mark_sent(Try(1, "main", NOW), NOW),
            lambda tx: tx.outbox.mark_failed(Try(1, "main", NOW), Verdict.NUMBER, MessageState.GIVEN_UP),
        ]
        for work in works:
            await store.write(work)
        assert await sweep(store) == 0

    async def test_the_mark_of_the_time_only_grows(self, open_store: OpenStore) -> None:
        store, other = await open_store(), await open_store()
        assert (await store.write(lambda tx: tx.upkeep.clock()))[0] == NEVER
        await store.write(lambda tx: tx.upkeep.mark_clock(NOW))
        await other.write(lambda tx: tx.upkeep.mark_clock(after(NOW, -DAY)))
        assert (await other.write(lambda tx: tx.upkeep.clock()))[0] == NOW
        await other.write(lambda tx: tx.upkeep.mark_clock(after(NOW, 1)))
        assert (await store.write(lambda tx: tx.upkeep.clock()))[0] == after(NOW, 1)
        # An operator sets it, also lower.
        await other.write(lambda tx: tx.upkeep.set_clock(after(NOW, -DAY)))
        assert (await store.write(lambda tx: tx.upkeep.clock()))[0] == after(NOW, -DAY)

    async def test_a_database_with_a_clock_tells_it(self, open_store: OpenStore) -> None:
        store = await open_store()
        _, first = await store.write(lambda tx: tx.upkeep.clock())
        _, second = await store.write(lambda tx: tx.upkeep.clock())
        # One without says NEVER both times.
        assert first <= second < first + DAY
