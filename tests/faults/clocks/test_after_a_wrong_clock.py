"""SG-8: what a clock that was ahead leaves behind. It keeps nobody out, and frees no attacker."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from menshen.core.time import MINUTE
from menshen.flows.background.clock import confirm_clock
from tests.faults.clocks.test_wrong_clocks import PASSWORD, PHONE, YEAR, pass_time, swept, two_nodes, where
from tests.harness import Clock, Harness, open_harness
from tests.wire.weidu.client import Client, said

__all__ = ["where"]

pytestmark = pytest.mark.attack("SG-8")

NOTICE = b"ready\nthe clock is -31536000 s from what is certain: nothing is swept\n"


async def ask_code(node: Harness) -> httpx.Response:
    client = Client(node)
    body = {"mobile": PHONE, "captcha_token": await client.captcha(), "purpose": "login"}
    return await client.call("POST", "/users/mobile/sms", body)


async def guess(node: Harness) -> tuple[int, str]:
    """Try a wrong password."""
    return said(await Client(node).log_in("alice17", "Wrong-Otter-17"))


async def test_limits_filled_by_a_clock_that_was_ahead_keep_nobody_out(tmp_path: Path, where: dict[str, str]) -> None:
    """On PostgreSQL the database's clock is ahead too: they are one machine."""
    async with open_harness(tmp_path, where) as node:
        await node.add_account("alice17", PHONE, password=PASSWORD)
        node.clock.leap(YEAR)
        await node.assembled.clocks.look()
        assert (await ask_code(node)).status_code == 200
        assert (await ask_code(node)).status_code == 429
        tries = [await guess(node) for _ in range(4)]
        assert "captcha" in tries[-1][1]
        node.clock.leap(-YEAR)
        await node.assembled.clocks.look()
        assert (await ask_code(node)).status_code == 200
        assert (await ask_code(node)).status_code == 429, "they count as ever"
        assert (await Client(node).log_in("alice17", PASSWORD)).status_code == 200


@pytest.mark.parametrize("wrong", [YEAR, -YEAR])
async def test_a_node_with_a_wrong_clock_frees_no_limit(tmp_path: Path, postgres_url: str, wrong: int) -> None:
    """It goes by the database's instant: a stranger who reaches both nodes has no more tries."""
    async with two_nodes(tmp_path, {"MENSHEN_STORAGE__URL": postgres_url}) as (here, there):
        await here.add_account("alice17", PHONE, password=PASSWORD)
        pass_time(here.clock.at - there.clock.at, there)
        await there.assembled.clocks.look()
        tries = [await guess(here) for _ in range(4)]
        assert "captcha" in tries[-1][1]
        assert (await ask_code(here)).status_code == 200
        there.clock.leap(wrong)
        for node in (there, here, there, here):
            assert await guess(node) == tries[-1]
            answer = await ask_code(node)
            assert answer.status_code == 429
            assert int(answer.headers["retry-after"]) <= 60


async def test_a_first_start_with_a_clock_ahead_is_not_believed_later(tmp_path: Path, where: dict[str, str]) -> None:
    right = Clock()
    first = Clock(right.at)
    first.leap(YEAR)
    async with open_harness(tmp_path, where, clock=first) as node:
        await node.assembled.clocks.look()
        await node.add_account("alice17", PHONE, password=PASSWORD)
    async with open_harness(tmp_path, where, clock=right) as node, open_harness(
        tmp_path, where, clock=Clock(right.at)
    ) as other:  # fmt: skip
        for _ in range(3):
            assert await swept(node) == await swept(other) == 0
            assert node.assembled.clocks.doubted
            assert (await node.client.get("/readyz")).content == NOTICE
            pass_time(MINUTE, node, other)
        await confirm_clock(store=node.store, world=node.clock)
        for each in (node, other, node, other):
            await swept(each)
            assert not each.assembled.clocks.doubted
        mark, _ = await node.store.write(lambda tx: tx.upkeep.clock())
        assert mark <= right.now(), "nobody raises it again"
        node.clock.leap(YEAR - MINUTE)
        assert await swept(node) == 0
        assert node.assembled.clocks.doubted
