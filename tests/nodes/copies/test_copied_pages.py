"""What apps say about their pages moves with them, logos included, and comes back with a backup."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from menshen.app.installation.backups import put_back, take_backup
from menshen.app.installation.moving import copy_to_postgres
from menshen.app.installation.opening import in_use
from menshen.app.world import SystemWorld
from menshen.core.pages.settings import NO_PAGES
from menshen.ports.store.store import Store, WriteTx
from menshen.testing.store_contract.pages.app_pages import FULL, PNG
from menshen.testing.store_contract.records import NOW
from tests.faults.site import settled

APP = 7


async def fill(store: Store) -> None:
    async def work(tx: WriteTx) -> None:
        await tx.app_pages.save(APP, FULL, NOW)
        await tx.app_pages.add_logo(APP, PNG)

    await store.write(work)


async def lose(store: Store) -> None:
    async def work(tx: WriteTx) -> None:
        await tx.app_pages.save(APP, NO_PAGES, NOW)
        await tx.app_pages.keep_logos(APP, ())

    await store.write(work)


async def everything(store: Store) -> list[Any]:
    read = store.read.app_pages
    return [(await read.list_all()).get(APP), await read.find_logo(PNG.digest(APP))]


@pytest.mark.parametrize("before", [False, True], ids=["at once", "in two runs"])
def test_a_copy_brings_pages_and_logos(tmp_path: Path, postgres_url: str, before: bool) -> None:
    with settled(tmp_path, accounts=1) as site:
        if before:
            site.with_store(fill)
            with in_use(site.settings):
                copy_to_postgres(site.settings, "", postgres_url, lambda *_: None, SystemWorld())
            site.with_store(lose)
        site.with_store(fill)
        assert copy_to_postgres(site.settings, "", postgres_url, lambda *_: None, SystemWorld()).final
        site.url = postgres_url
        assert site.with_store(everything) == [FULL, PNG]


def test_a_backup_brings_pages_and_logos_back(tmp_path: Path) -> None:
    with settled(tmp_path, accounts=1) as site:
        site.with_store(fill)
        take_backup(site.settings, tmp_path / "night.db")
        site.with_store(lose)
        assert site.with_store(everything) == [NO_PAGES, None]
        put_back(site.settings, tmp_path / "night.db", SystemWorld())
        assert site.with_store(everything) == [FULL, PNG]
