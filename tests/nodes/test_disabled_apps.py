"""An operator disables an app with a command, beside two nodes that remember its sessions. (decision 0051)"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.faults.caller import Caller, CallResult, Fate
from tests.faults.site import PASSWORD, Site, settled, username
from tests.faults.waiting import until
from tests.patience import AS_SHIPPED, PATIENT

STORES = pytest.mark.parametrize("store", ["postgresql", "sqlite"])
PROMISE = 0.5


@pytest.mark.attack("TK-15")
@STORES
def test_every_node_refuses_the_sessions_of_an_app_and_takes_them_back(
    tmp_path: Path, postgres_url: str, store: str
) -> None:
    disable_and_enable(tmp_path, postgres_url if store == "postgresql" else "", PATIENT)


@pytest.mark.timing
@STORES
def test_every_node_refuses_the_sessions_of_an_app_in_time(tmp_path: Path, postgres_url: str, store: str) -> None:
    slowest = disable_and_enable(tmp_path, postgres_url if store == "postgresql" else "", AS_SHIPPED)
    assert slowest < PROMISE


def disable_and_enable(folder: Path, url: str, extra: Mapping[str, str]) -> float:
    """Three times. Return the seconds of the slowest refusal, from the end of the command."""
    with settled(folder, url, accounts=1, **extra) as site:
        nodes = [Caller([site.start().port]) for _ in range(2)]
        return max(asyncio.run(_turn(site, nodes, turn)) for turn in range(3))


async def _turn(site: Site, nodes: list[Caller], turn: int) -> float:
    token = token_of(await nodes[0].login(username(0), PASSWORD, f"turn {turn}"))

    async def all_say(fate: Fate) -> bool:
        return [(await node.check(token)).fate for node in nodes] == [fate] * len(nodes)

    # Each of them remembers it.
    for _ in range(3):
        assert await all_say(Fate.DONE)
    await asyncio.to_thread(site.nodes[0].menshen, "app", "disable", "faults")
    refused = await until(lambda: all_say(Fate.REFUSED), every=0.01)

    async def a_login_is_refused() -> bool:
        login = await nodes[1].login(username(0), PASSWORD, "other")
        if login.fate is Fate.DONE:
            # A node remembers its apps for 250 ms. What a login gets in that time is refused as the others are.
            assert (await nodes[1].check(token_of(login))).fate is Fate.REFUSED
        return login.fate is Fate.REFUSED

    await until(a_login_is_refused, every=0.01)
    await asyncio.to_thread(site.nodes[0].menshen, "app", "enable", "faults")
    await until(lambda: all_say(Fate.DONE), every=0.01)
    return refused


def token_of(login: CallResult) -> str:
    """Return the token of a login's answer."""
    token: str = login.body["data"]["token"]["token"]
    return token
