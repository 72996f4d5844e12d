"""Proofs of the old phone or mailbox race its change, on two nodes of each store, with nothing held. (RACE-14.)"""

from __future__ import annotations

import asyncio

import pytest

from menshen.core.account.asks import Edited
from menshen.core.login.outcomes import Granted
from menshen.core.problems import Denied
from menshen.core.time import DAY
from menshen.flows.admin import accounts as admin_accounts
from tests.flows.behind.interleaving import told
from tests.flows.behind.scene import bind_for, login_by_code, open_scene, reset_by
from tests.flows.site import EMAIL, OTHER_EMAIL, OTHER_PHONE, PASSWORD, PHONE, Site

pytestmark = pytest.mark.attack("RACE-14")

ROUNDS = 24


@pytest.mark.parametrize("to", [PHONE, EMAIL])
async def test_a_code_login_by_the_old_one_keeps_no_session(two: list[Site], to: str) -> None:
    new = OTHER_PHONE if to == PHONE else OTHER_EMAIL
    kept = []
    for turn in range(ROUNDS):
        site, node = two[turn % 2], two[1 - turn % 2]
        site.clock.advance(DAY)
        scene = await open_scene(site)
        login, change = await asyncio.gather(
            told(login_by_code(to)(node, scene, node.store)), told(bind_for("owner", new)(site, scene, site.store))
        )
        assert isinstance(change, Edited)
        assert isinstance(login, Granted | Denied)
        if [one.session_id for one in await site.sessions(scene.account)] != [scene.owner.session.session_id]:
            kept.append(turn)
        await admin_accounts.close_account(f"#{scene.account.number}", store=site.store, world=site.clock)
    assert kept == []


async def test_a_reset_by_the_old_mailbox_sets_no_password(two: list[Site]) -> None:
    both = []
    for turn in range(ROUNDS):
        site, node = two[turn % 2], two[1 - turn % 2]
        site.clock.advance(DAY)
        scene = await open_scene(site)
        reset, change = await asyncio.gather(
            told(reset_by(EMAIL)(node, scene, node.store)),
            told(bind_for("owner", OTHER_EMAIL)(site, scene, site.store)),
        )
        # Whichever is first ends what the other one needs: its session, or its code.
        if isinstance(reset, Denied) == isinstance(change, Denied):
            both.append(turn)
        if isinstance(change, Edited):
            assert isinstance(await site.try_password("kevin", PASSWORD, site.elsewhere()), Granted)
        await admin_accounts.close_account(f"#{scene.account.number}", store=site.store, world=site.clock)
    assert both == []
