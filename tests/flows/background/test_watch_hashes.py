"""Which hashes may stand on accounts is known: by note at once, by a walk at last, and as long as they stand there."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from menshen.app.asgi import background
from menshen.core.account.accounts import Account
from menshen.core.moving_in import AccountToImport
from menshen.core.problems import Problem, ProblemCode
from menshen.core.time import HOUR
from menshen.flows.background.hash_costs import RENEWED, HashWatch
from menshen.flows.moving_in.accounts import import_accounts
from menshen.ports.store.store import WriteTx
from tests.flows.site import Site
from tests.harness import settings_for
from tests.substitutes import Substitute

OWN, BCRYPT, ARGON2 = "$argon2id$v=19$m=64,t=1,p=1$", "$2b$10$", "$argon2id$v=19$m=65536,t=3,p=4$"


class Hasher:
    """Hears what is expected. Everything else of `PasswordHasher` must not be asked here."""

    def __init__(self, head: str = OWN) -> None:
        self.head = head
        self.expected: set[str] = set()
        self.learnt = 0
        self.full = False

    def expect(self, heads: Collection[str]) -> None:
        self.expected = set(heads)

    async def learn(self) -> None:
        self.learnt += 1
        if self.full:
            raise Problem(ProblemCode.OVERLOADED, "hash queue full", 1)


@pytest.fixture
async def clean(each_site: Site) -> Site:
    """Without what the site's own start noted."""
    await each_site.store.write(lambda tx: tx.hash_heads.forget([OWN], noted_by=each_site.clock.now()))
    return each_site


def watch_of(site: Site, hasher: Hasher) -> HashWatch:
    given: Any = hasher
    return HashWatch(store=site.store, hasher=given, world=site.clock, most=3)


async def noted(site: Site) -> dict[str, int]:
    return dict(await site.store.read.hash_heads.list_all())


async def add(site: Site, name: str, head: str) -> Account:
    account: Account = await site.harness.add_account(name)
    await site.store.write(lambda tx: tx.accounts.set_password(account.number, f"{head}{'x' * 53}", now=0))
    return account


async def test_a_process_notes_what_it_makes_and_expects_what_others_do(clean: Site) -> None:
    one, other = Hasher(), Hasher(ARGON2)
    await watch_of(clean, one).look()
    await watch_of(clean, other).look()
    assert other.expected == {OWN}
    await watch_of(clean, one).keep()
    assert one.expected == {OWN, ARGON2}
    assert await noted(clean) == {OWN: clean.clock.at, ARGON2: clean.clock.at}


async def test_it_is_noted_anew_once_an_hour(clean: Site) -> None:
    start, watch = clean.clock.at, watch_of(clean, Hasher())
    await watch.look()
    clean.clock.advance(RENEWED - 1)
    await watch.look()
    assert await noted(clean) == {OWN: start}
    clean.clock.advance(1)
    await watch.look()
    assert await noted(clean) == {OWN: start + HOUR}


async def test_the_walk_finds_what_nobody_noted_slice_by_slice(clean: Site) -> None:
    for n in range(4):
        await add(clean, f"plain{n}", OWN)
    await add(clean, "foreign", BCRYPT)
    watch = watch_of(clean, Hasher())
    await watch.walk()
    assert set(await noted(clean)) == {OWN}
    await watch.walk()
    assert set(await noted(clean)) == {OWN, BCRYPT}


async def test_what_no_account_has_any_more_goes_after_a_whole_walk(clean: Site) -> None:
    site = clean
    people = [await add(site, f"person{n}", BCRYPT) for n in range(5)]
    await site.store.write(lambda tx: tx.hash_heads.note([BCRYPT, ARGON2], site.clock.now()))
    watch = watch_of(site, hasher := Hasher())
    site.clock.advance(3 * HOUR)
    await watch.keep()
    assert set(await noted(site)) == {OWN, BCRYPT, ARGON2}, "half a walk proves nothing"
    await watch.keep()
    assert set(await noted(site)) == {OWN, BCRYPT}
    assert hasher.expected == {OWN, BCRYPT}
    for person in people:
        await site.store.write(lambda tx, n=person.number: tx.accounts.set_password(n, f"{OWN}x", now=0))
    await watch.keep()
    await watch.keep()
    assert set(await noted(site)) == {OWN}


async def test_what_was_noted_lately_stays_though_the_walk_did_not_meet_it(clean: Site) -> None:
    """It may stand behind the walk: numbers of another program come in anywhere."""
    site, watch = clean, watch_of(clean, Hasher())
    for n in range(4):
        await add(site, f"plain{n}", OWN)
    await site.store.write(lambda tx: tx.hash_heads.note([BCRYPT], site.clock.now()))
    site.clock.advance(3 * HOUR)
    await watch.walk()
    await site.store.write(lambda tx: tx.hash_heads.note([BCRYPT], site.clock.now()))
    await watch.walk()
    assert BCRYPT in await noted(site)
    # The next walks begin after that note, and forget it when it is as old as two renewals.
    for _ in range(2):
        await watch.walk()
    assert BCRYPT in await noted(site)
    site.clock.advance(2 * RENEWED)
    for _ in range(2):
        await watch.walk()
    assert BCRYPT not in await noted(site)


async def test_an_empty_installation_is_walked_too(clean: Site) -> None:
    watch = watch_of(clean, Hasher())
    for _ in range(3):
        await watch.keep()
    assert set(await noted(clean)) == {OWN}


async def test_a_full_queue_puts_off_the_timing_alone(clean: Site) -> None:
    hasher = Hasher()
    hasher.full = True
    await watch_of(clean, hasher).keep()
    assert (hasher.learnt, hasher.expected) == (1, set())
    assert set(await noted(clean)) == {OWN}


# --- imports ----------------------------------------------------------------------------------------------------------


def stranger(number: int, head: str) -> AccountToImport:
    account = Account(number, "", f"came{number}", f"came{number}", password_hash=f"{head}{'x' * 53}" if head else "")
    return AccountToImport(number, number, 1, account, "c***")


async def test_an_import_notes_what_it_brings(clean: Site) -> None:
    site = clean
    batch = [stranger(700 + n, head) for n, head in enumerate((BCRYPT, "", "careyshop$", "$2y$12$", BCRYPT))]
    await import_accounts(batch, "shop", store=site.store, world=site.clock)
    at = site.clock.at
    assert await noted(site) == {BCRYPT: at, "$2y$12$": at}
    # What came in before brings nothing a second time.
    site.clock.advance(HOUR)
    await import_accounts(batch, "shop", store=site.store, world=site.clock)
    assert await noted(site) == {BCRYPT: at, "$2y$12$": at}


async def test_accounts_and_their_heads_come_in_together_or_not_at_all(clean: Site) -> None:
    class Broken(Exception):
        pass

    async def write(work: Any) -> Any:
        async def broken(tx: WriteTx) -> None:
            await work(tx)
            raise Broken

        return await clean.store.write(broken)

    store: Any = Substitute(clean.store, write=write)
    with pytest.raises(Broken):
        await import_accounts([stranger(700, BCRYPT)], "shop", store=store, world=clean.clock)
    assert await noted(clean) == {}
    assert await clean.store.read.accounts.find(700) is None


async def test_a_serving_process_hears_of_an_import_at_its_next_round(site: Site, folder: Path) -> None:
    hasher = site.harness.assembled.hasher
    assert not hasher._floor.ms
    await import_accounts([stranger(700, BCRYPT)], "shop", store=site.store, world=site.clock)
    await site.harness.assembled.hash_watch.look()
    assert hasher._floor.ms > 0


async def test_a_serving_process_keeps_the_watch_by_itself(site: Site, folder: Path) -> None:
    assembled = site.harness.assembled
    floor = assembled.hasher._floor
    async with background(assembled, settings_for(folder), 0.01), asyncio.timeout(60):
        await add(site, "foreign", "$2b$04$")
        # Found by the walk, told to the hasher, timed by dummies.
        while not floor.ms or floor.untimed():  # noqa: ASYNC110 - the task of a process, no event
            await asyncio.sleep(0.01)
    assert set(await noted(site)) == {OWN, "$2b$04$"}
