"""What one node says about pages, the other shows as soon as it knows a changed app. (Decision 0078.)"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from menshen.adapters.storage.cached_apps import BELIEVED_SECONDS
from menshen.core.pages.settings import PageSettings
from menshen.flows.pages.manage import change_pages
from tests.harness import Harness, open_harness


async def slogan_at(node: Harness) -> str:
    return (await node.flows.pages.of_app(node.app.app_id)).slogan_en


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
async def test_what_one_node_changes_the_other_shows(
    tmp_path: Path, store: str, request: pytest.FixtureRequest
) -> None:
    environ = {"MENSHEN_STORAGE__URL": request.getfixturevalue("postgres_url")} if store == "postgresql" else {}
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(open_harness(tmp_path, environ))
        there = await stack.enter_async_context(open_harness(tmp_path, environ))
        for slogan in ("one", "two"):
            # Both remember what was said before.
            await slogan_at(here)
            await slogan_at(there)
            made = await change_pages("default", {"slogan_en": slogan}, store=here.store, world=here.clock)
            assert isinstance(made, PageSettings)
            assert await slogan_at(here) == slogan
            await asyncio.sleep(BELIEVED_SECONDS)
            assert await slogan_at(there) == slogan
