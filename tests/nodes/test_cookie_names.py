"""CK-10 on two nodes: which cookies count follows the apps, whichever node changed one."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from menshen.adapters.storage.cached_apps import BELIEVED_SECONDS
from menshen.core.apps import App
from menshen.flows.apps.manage import change_app
from tests.harness import Harness, open_harness
from tests.wire.weidu.client import PASSWORD, Client


async def status(node: Harness, cookies: str) -> int:
    return (await node.client.get("/auth/verify", headers={"cookie": cookies})).status_code


@pytest.mark.attack("CK-10")
@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
async def test_what_one_node_changes_the_other_reads(
    tmp_path: Path, store: str, request: pytest.FixtureRequest
) -> None:
    environ = {"MENSHEN_STORAGE__URL": request.getfixturevalue("postgres_url")} if store == "postgresql" else {}
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(open_harness(tmp_path, environ))
        there = await stack.enter_async_context(open_harness(tmp_path, environ))
        await here.add_account("alice1", password=PASSWORD)
        client = Client(here)
        await client.log_in("alice1")

        async def change(**changes: object) -> None:
            changed = await change_app("default", changes, store=here.store, world=here.clock)
            assert isinstance(changed, App)

        old, new = f"menshenAUTHTOKEN={client.token}", f"__Host-newAUTHTOKEN={client.token}"
        for _ in range(3):
            # Both remember the apps and the token.
            assert await status(here, old) == await status(there, old) == 204
            assert await status(here, new) == await status(there, new) == 401
        await change(cookie_prefix="new", host_only_cookies=True)
        assert (await status(here, old), await status(here, new)) == (401, 204)
        await asyncio.sleep(BELIEVED_SECONDS)
        assert (await status(there, old), await status(there, new)) == (401, 204)
        await change(disabled=True)
        assert await status(here, new) == 401
        await asyncio.sleep(BELIEVED_SECONDS)
        assert await status(there, new) == 401
