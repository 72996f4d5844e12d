"""F17: no connection of the database is held while a password is hashed or a message is carried."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from menshen.ports.delivery import Accepted, Handover
from tests.harness import open_harness
from tests.wire.careyshop.shop import Shop
from tests.wire.weidu.client import Client

PASSWORD = "Quiet-Otter-17"
PHONE = "13800138001"


async def test_hashes_and_messages_hold_no_connection(tmp_path: Path, postgres_url: str) -> None:
    async with open_harness(tmp_path, {"MENSHEN_STORAGE__URL": postgres_url}) as harness:
        await harness.add_account("alice17", PHONE, password=PASSWORD)
        connections = harness.store.inner.connections
        hasher: Any = harness.assembled.hasher
        held: list[int] = []
        in_pool = hasher._in_pool

        async def watched(*args: Any, **kwargs: Any) -> Any:
            held.append(connections.in_use)
            return await in_pool(*args, **kwargs)

        class Carrier:
            async def send(self, _handover: Handover) -> Accepted:
                # Others may be writing at this moment. A connection that this one held would stay in use.
                for _ in range(500):
                    if not connections.in_use:
                        break
                    await asyncio.sleep(0.01)
                held.append(connections.in_use)
                return Accepted()

        hasher._in_pool = watched
        shop = Shop(harness)
        who = {"username": "alice17", "platform": "web"}
        await shop.call("login.user.user", password="wrong one", **who)
        await shop.call("login.user.user", username="nobody17", password="wrong one", platform="web")
        token = (await shop.done("login.user.user", password=PASSWORD, **who))["token"]["token"]
        new = "Quiet-Otter-18"
        await shop.done(
            "set.user.password", token=token, client_id=1, password_old=PASSWORD, password=new, password_confirm=new
        )
        await Client(harness).code(PHONE)
        hashes = len(held)
        await harness.deliver(Carrier())
        assert hashes >= 5
        assert len(held) > hashes
        assert set(held) == {0}
