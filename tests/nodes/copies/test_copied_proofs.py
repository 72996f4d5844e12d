"""What proves a person beside the first proof moves with its account, and a restore revives no ticket and no trust."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from menshen.app.installation.opening import open_installation
from menshen.app.world import SystemWorld
from menshen.core.account.accounts import Account
from menshen.core.identifiers import Identifier, Kind
from menshen.core.tokens import digest
from menshen.ports.store.store import Store
from menshen.testing.store_contract.proofs.records import CODES, KIND, SECRET, give_all, held_by
from menshen.testing.store_contract.records import NOW
from tests.faults.site import Site, settled, username
from tests.nodes.test_moving import menshen

T = TypeVar("T")


def on(site: Site, work: Callable[[Store, Account], Awaitable[T]]) -> T:
    """Run a piece of work on the site's store, with its first account."""

    async def run() -> T:
        async with open_installation(site.settings, SystemWorld()) as here:
            account = await here.store.read.accounts.find_owner(Identifier(Kind.USERNAME, username(0)))
            assert account is not None
            return await work(here.store, account)

    return asyncio.run(run())


async def fill(store: Store, account: Account) -> list[object]:
    await store.write(lambda tx: tx.accounts.change_factors(account.number, now=NOW, second_step=True))
    await give_all(store, account)
    return await everything(store, account)


async def everything(store: Store, account: Account) -> list[object]:
    read, number, name = store.read, account.number, username(0)
    present = await read.accounts.find(number)
    assert present is not None
    return [
        (present.second_step, present.factors_version),
        *await read.factors.list_of(number),
        *await read.passkeys.list_of(number),
        await read.passkeys.handle_of(number),
        await read.recovery_codes.left(number),
        await read.pending_logins.find(digest(name)),
        *await read.trusted_devices.list_of(number, NOW),
    ]


def test_a_copy_brings_all_of_it(tmp_path: Path, postgres_url: str) -> None:
    with settled(tmp_path, accounts=1) as site:
        before = on(site, fill)
        assert "moved" in menshen(site, "copy", "--to", postgres_url)
        site.url = postgres_url
        assert on(site, everything) == before

        async def proves(store: Store, account: Account) -> list[object]:
            number, name = account.number, username(0)
            (passkey,) = await store.read.passkeys.list_of(number)
            return [
                await store.write(lambda tx: tx.factors.advance(number, KIND, SECRET, counter=6, now=NOW)),
                await store.write(lambda tx: tx.passkeys.use(passkey, counter=8, backed_up=False, now=NOW)),
                await store.write(lambda tx: tx.recovery_codes.spend(number, CODES[9], NOW)),
                await store.write(lambda tx: tx.pending_logins.take(digest(name), NOW)) is not None,
            ]

        assert on(site, proves) == [True] * 4


def test_a_restore_keeps_factors_and_ends_tickets_and_trust(tmp_path: Path) -> None:
    with settled(tmp_path, accounts=1) as site:
        before = on(site, fill)
        menshen(site, "backup", str(tmp_path / "night.db"))

        async def lose(store: Store, account: Account) -> None:
            await store.write(lambda tx: tx.factors.remove_all(account.number))
            await store.write(lambda tx: tx.passkeys.remove_all(account.number))
            await store.write(lambda tx: tx.recovery_codes.remove_all(account.number))

        on(site, lose)
        menshen(site, "restore", str(tmp_path / "night.db"))
        # The pending login is found only in its own epoch, and so is the device, the last of them.
        assert on(site, everything) == [*before[:-2], None]
        assert on(site, held_by) == (1, 1, username(0).encode(), len(CODES), False, 0)
