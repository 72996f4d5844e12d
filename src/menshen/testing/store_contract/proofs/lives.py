"""Test what ends with an epoch, a sweep or an account, and what the account and its sessions keep of factors."""

from __future__ import annotations

from dataclasses import replace

from menshen.core.account.accounts import Account
from menshen.core.codes.one_time_codes import CodeChallenge
from menshen.core.time import DAY, HOUR, NEVER, Instant, after
from menshen.core.tokens import digest
from menshen.ports.store.proofs.factors import StoredFactor
from menshen.ports.store.store import Store, WriteTx
from menshen.testing.store_contract import codes
from menshen.testing.store_contract.proofs.records import (
    BEGUN,
    CODES,
    CROWD,
    KIND,
    SECRET,
    SOON,
    enrol_in,
    give_all,
    held_by,
    pending_of,
    trusted_of,
)
from menshen.testing.store_contract.racing import OpenStore, nodes, race
from menshen.testing.store_contract.records import NOW, open_session, session_of, settle

LATER = after(NOW, 1000)
LONG_AGO = after(NOW, -400 * DAY)


async def use_trust(store: Store, account: Account, token: str, now: Instant = NOW) -> bool:
    number, device = account.number, digest("device")
    used = await store.write(
        lambda tx: tx.trusted_devices.use(
            digest(token), digest(f"after {token}"), account_number=number, app_id=3, device=device, now=now
        )
    )
    return used is not None


async def sweep(store: Store, batch: int = 500) -> int:
    return await store.write(lambda tx: tx.upkeep.sweep(NOW, audit_days=180, batch=batch))


class FactorLivesContract:
    """Test factors in `menshen.ports.store.store.Upkeep`, in accounts and in sessions."""

    async def test_an_epoch_ends_tickets_and_trust_and_keeps_factors(self, open_store: OpenStore) -> None:
        store, other = await open_store(), await open_store()
        alice = await settle(store, "alice")
        await give_all(store, alice)
        assert await held_by(store, alice) == (1, 1, b"alice", 10, True, 1)
        await other.write(lambda tx: tx.upkeep.raise_epoch(NOW))
        assert await held_by(store, alice) == (1, 1, b"alice", 10, False, 0)
        ticket = digest("alice")
        assert await store.write(lambda tx: tx.pending_logins.count_step(ticket, NOW, most=5)) is None
        assert await store.write(lambda tx: tx.pending_logins.take(ticket, NOW)) is None
        assert not await use_trust(store, alice, "alice")
        # What was proved stays, and what comes now lives.
        assert await store.write(lambda tx: tx.factors.confirm(alice.number, KIND, BEGUN, counter=1, now=LATER))
        assert await store.write(lambda tx: tx.recovery_codes.spend(alice.number, CODES[0], NOW))
        await store.write(lambda tx: tx.pending_logins.add(pending_of(alice, "new"), most=3))
        await store.write(lambda tx: tx.trusted_devices.add(trusted_of(alice, "new"), digest("new"), most=20))
        await store.write(lambda tx: tx.pending_logins.add(pending_of(alice, "newer"), most=3))
        for _ in range(9):
            await store.write(lambda tx: tx.upkeep.clear_epochs(batch=1))
        assert await store.write(lambda tx: tx.upkeep.clear_epochs(batch=1)) is None
        assert await store.write(lambda tx: tx.pending_logins.end_all(alice.number)) == 2, "the old one was cleared"
        assert await use_trust(store, alice, "new")
        assert await store.write(lambda tx: tx.trusted_devices.end_all(alice.number)) == 1, "the old one was cleared"

    async def test_what_an_epoch_ended_is_cleared_a_batch_at_a_time(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        for n in range(3):
            name, token = f"a{n}", digest(f"a{n}")
            await store.write(lambda tx, name=name: tx.pending_logins.add(pending_of(alice, name), most=9))  # type: ignore[misc]
            await store.write(
                lambda tx, name=name, token=token: tx.trusted_devices.add(trusted_of(alice, name), token, most=9)  # type: ignore[misc]
            )
        await store.write(lambda tx: tx.upkeep.raise_epoch(NOW))
        gone = [await store.write(lambda tx: tx.upkeep.clear_epochs(batch=2)) for _ in range(3)]
        assert gone == [4, 2, 0]

    async def test_what_is_over_is_swept_a_batch_at_a_time(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        end = after(LONG_AGO, 1)

        async def fill(n: int, tx: WriteTx) -> None:
            name = f"a{n}"
            await tx.factors.begin(alice.number, name, BEGUN, end)
            pending = pending_of(alice, name, created_at=LONG_AGO, expires_at=end)
            await tx.pending_logins.add(pending, most=9)
            device = trusted_of(alice, name, created_at=LONG_AGO, expires_at=end)
            await tx.trusted_devices.add(device, digest(name), most=9)

        for n in range(3):
            await store.write(lambda tx, n=n: fill(n, tx))  # type: ignore[misc]
            assert await use_trust(store, alice, f"a{n}", LONG_AGO)
        assert [await sweep(store, batch=2) for _ in range(3)] == [8, 4, 0]
        assert list(await store.read.factors.list_of(alice.number)) == []
        assert list(await store.read.trusted_devices.list_of(alice.number, LONG_AGO)) == []
        assert await store.write(lambda tx: tx.trusted_devices.revoke_spent(digest("a1"))) is None

    async def test_no_factor_that_lives_is_swept(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice, bob = await settle(store, "alice"), await settle(store, "bob")
        await give_all(store, alice)
        soon = after(NOW, 1)

        async def fill(tx: WriteTx) -> None:
            await tx.pending_logins.add(pending_of(bob, "bob", created_at=LONG_AGO, expires_at=soon), most=3)
            device = trusted_of(bob, "bob", created_at=LONG_AGO, expires_at=soon)
            await tx.trusted_devices.add(device, digest("bob"), most=3)
            await tx.factors.begin(bob.number, KIND, BEGUN, soon)
            # Confirmed long ago, with an enrolment beside it that was never completed.
            await enrol_in(tx, bob, now=LONG_AGO)
            await tx.factors.begin(bob.number, KIND, BEGUN, after(NOW, -3 * HOUR))
            await tx.factors.begin(bob.number, "card", BEGUN, soon)

        await store.write(fill)
        assert await use_trust(store, bob, "bob")
        assert await sweep(store) == 1, "the enrolment"
        assert await sweep(store) == 0
        assert await held_by(store, alice) == (1, 1, b"alice", 10, True, 1)
        assert await held_by(store, bob) == (2, 0, b"", 0, True, 1)
        found = await store.read.factors.find(bob.number, KIND)
        assert found == StoredFactor(KIND, SECRET, 5, LONG_AGO)
        beside = await store.read.factors.find(alice.number, KIND)
        assert beside == StoredFactor(KIND, SECRET, 5, NOW, NEVER, BEGUN, SOON)
        assert await store.write(lambda tx: tx.trusted_devices.revoke_spent(digest("bob"))) == ("bob", bob.number)

    # --- accounts -----------------------------------------------------------------------------------------------------

    async def test_each_change_of_factors_raises_their_version(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice, bob = await settle(stores[0], "alice"), await settle(stores[0], "bob")

        async def change(store: Store, *, second_step: bool | None = None) -> None:
            await store.write(lambda tx: tx.accounts.change_factors(alice.number, now=LATER, second_step=second_step))

        await race(stores, lambda store, _: change(store), racers=CROWD)
        changed = replace(alice, factors_version=CROWD, updated_at=LATER)
        assert await stores[1].read.accounts.find(alice.number) == changed
        for version, (given, on) in enumerate(((True, True), (None, True), (False, False), (None, False)), CROWD + 1):
            await change(stores[0], second_step=given)
            found = await stores[1].read.accounts.find(alice.number)
            assert found == replace(changed, factors_version=version, second_step=on)
            assert found is not None
            assert type(found.second_step) is bool
        assert await stores[0].read.accounts.find(bob.number) == bob

    async def test_a_closed_account_has_no_second_step_and_a_new_version(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        await store.write(lambda tx: tx.accounts.change_factors(alice.number, now=NOW, second_step=True))
        await store.write(lambda tx: tx.accounts.close(alice.number, now=NOW))
        await store.write(lambda tx: tx.accounts.change_factors(alice.number, now=LATER, second_step=True))
        closed = await store.read.accounts.find(alice.number)
        assert closed is not None
        assert (closed.second_step, closed.factors_version, closed.updated_at) == (False, 2, NOW)

    async def test_a_login_is_recorded_only_as_it_was_judged(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        stepping = replace(alice, second_step=True)

        async def recorded(judged: Account | None, *, by_code: bool) -> bool:
            by = codes.KEY if by_code else None

            async def work(tx: WriteTx) -> bool:
                if by:
                    await tx.codes.put(CodeChallenge(codes.KEY, codes.RIGHT, b"", NOW, SOON))
                    await tx.codes.take(codes.KEY, [codes.RIGHT], NOW)
                found = await tx.accounts.record_login(
                    alice.number, ip="", now=NOW, password_version=None, by=by, judged=judged
                )
                return found is not None

            return await store.write(work)

        for by_code in (False, True):
            await store.write(lambda tx: tx.accounts.change_factors(alice.number, now=NOW, second_step=False))
            assert await recorded(None, by_code=by_code)
            assert await recorded(alice, by_code=by_code)
            # The version of the factors is no matter: what counts is whether a step is due.
            assert await recorded(replace(alice, factors_version=77), by_code=by_code)
            assert not await recorded(stepping, by_code=by_code)
            assert not await recorded(replace(alice, roles=f"{alice.roles} admin"), by_code=by_code)
            await store.write(lambda tx: tx.accounts.change_factors(alice.number, now=NOW, second_step=True))
            assert not await recorded(alice, by_code=by_code)
            assert await recorded(stepping, by_code=by_code)
            assert await recorded(None, by_code=by_code)

    async def test_no_login_slips_past_a_second_step_that_is_turned_on(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice = await settle(stores[0], "alice")

        async def log_in(store: Store, n: int) -> Account | None:
            if n == CROWD // 2:
                await store.write(lambda tx: tx.accounts.change_factors(alice.number, now=LATER, second_step=True))
                return None
            return await store.write(
                lambda tx: tx.accounts.record_login(alice.number, ip="", now=NOW, password_version=None, judged=alice)
            )

        found = await race(stores, log_in, racers=CROWD)
        assert not any(each.second_step for each in found if each)
        assert await log_in(stores[1], 0) is None

    # --- sessions -----------------------------------------------------------------------------------------------------

    async def test_a_session_reaches_a_level_and_keeps_it(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        session = session_of(alice, "one", methods="pwd", refresh_expires_at=after(NOW, DAY))
        await open_session(store, session, digest("refresh"))
        await open_session(store, session_of(alice, "other"))
        assert await store.write(lambda tx: tx.sessions.prove_twice("one", LATER, level=2, methods="pwd otp"))
        proved = replace(session, proved_at=LATER, second_at=LATER, level=2, methods="pwd otp")
        # Neither a proof by password nor a refresh changes what it reached.
        assert await store.write(lambda tx: tx.sessions.prove("one", after(LATER, 1)))
        proved = replace(proved, proved_at=after(LATER, 1))
        lower = replace(proved, level=1, methods="", second_at=NEVER)
        assert await store.write(
            lambda tx: tx.sessions.rotate(digest("one"), digest("refresh"), digest("new"), digest("newer"), lower)
        )
        found = await store.read.sessions.find(digest("new"))
        assert found is not None
        assert found[0] == proved
        levels = [await store.read.sessions.check(digest(name)) for name in ("new", "other")]
        assert [each.bearer.level for each in levels if each] == [2, 1]
        await store.write(lambda tx: tx.sessions.end("one", alice.number))
        assert not await store.write(lambda tx: tx.sessions.prove_twice("one", LATER, level=2, methods="pwd otp"))

    async def test_a_level_is_raised_by_no_refresh(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice = await settle(store, "alice")
        session = session_of(alice, "one", refresh_expires_at=after(NOW, DAY))
        await open_session(store, session, digest("refresh"))
        higher = replace(session, level=2, methods="pwd otp", second_at=NOW)
        assert await store.write(
            lambda tx: tx.sessions.rotate(digest("one"), digest("refresh"), digest("new"), digest("newer"), higher)
        )
        found = await store.read.sessions.find(digest("new"))
        assert found is not None
        assert found[0] == session
