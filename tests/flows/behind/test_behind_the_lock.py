"""What a flow read before a lock is looked at again behind it: each flow, overtaken by each rival that matters.

(docs/security/attacks.md RACE-14; decision 0054.)
"""

from __future__ import annotations

from typing import Any

import pytest

from menshen.core.login.outcomes import Granted
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import DAY
from menshen.flows.admin import accounts as admin_accounts
from menshen.flows.apps import manage as app_manage
from tests.flows.behind.interleaving import Interleaving, When, state_of
from tests.flows.behind.scene import FLOWS, RIVALS, SUCCEEDED, Scene, open_scene
from tests.flows.site import Site

pytestmark = pytest.mark.attack("RACE-14")

BOTH = (When.BETWEEN, When.HELD)
CHANGES = ("phone", "mail", "password", "reset by phone", "reset by mail", "disabled", "closed", "deleted")
"""Each of them ends the sessions of the account, and all but the disabling delete its codes."""
ENDS = (*CHANGES, "others ended", "all ended")
CALLS = (
    "change of password", "bind", "bind, its proof", "edit", "use of a verified code", "end of the others",
    "end of one", "closing", "removal of the phone", "agreement", "order of an export",
    "deletion", "deletion by a code", "deletion by a code, its proof", "refresh",
    "refresh, its retry", "proof by a factor", "proof by a factor, its proof",
)  # fmt: skip
REFUSALS = {
    "login by code": {ProblemCode.WRONG_CODE, ProblemCode.ACCOUNT_DISABLED},
    "login by": {ProblemCode.WRONG_CREDENTIALS},
    "reset by": {ProblemCode.WRONG_CODE, ProblemCode.ACCOUNT_DISABLED},
    "change of password": {ProblemCode.WRONG_CREDENTIALS, ProblemCode.UNAUTHENTICATED},
    "refresh": {ProblemCode.REFRESH_INVALID, ProblemCode.UNAUTHENTICATED},
    "second step": {ProblemCode.TICKET_INVALID},
    "": {ProblemCode.UNAUTHENTICATED},
}
"""The refusals of a proof that is wrong or dead, by the beginning of a flow's name."""

Pair = tuple[str, When]


def pairs_of(flow: str) -> list[Pair]:
    """Give the rivals that matter to a flow, and when they come."""
    rivals = [*ENDS] if flow in CALLS or flow.startswith("second step") else [*CHANGES]
    if flow.startswith("reset"):
        # The rival is the same code, which was spent before.
        rivals.remove(flow)
    if flow.endswith("password") and flow.startswith("login"):
        # The other identifier is no proof of this login.
        rivals.remove("mail" if "phone" in flow else "phone")
    pairs = [(rival, when) for rival in rivals for when in BOTH]
    # Whoever reads the epoch or the app before it changes comes before the change: a check compares both.
    if flow in CALLS:
        # A login may come behind it, and takes it back.
        pairs += [("closing", when) for when in BOTH]
        pairs += [("epoch", When.BETWEEN), ("app disabled", When.BETWEEN)]
    elif "code" in flow or "reset" in flow or "second step" in flow:
        pairs.append(("epoch", When.BETWEEN))
    return pairs


def refusals_of(flow: str) -> set[ProblemCode]:
    return next(codes for begin, codes in REFUSALS.items() if flow.startswith(begin))


async def overtaken(site: Site, url: str, flow: str, rival: str, when: When) -> tuple[Scene, Interleaving, Any]:
    """Play both on an account of their own."""
    site.clock.advance(DAY)
    scene = await open_scene(site)
    meeting = Interleaving(
        site,
        scene.account.number,
        when,
        lambda where, store: RIVALS[rival].run(where, scene, store),
        FLOWS[flow].turn,
        RIVALS[rival].turn,
        url,
    )
    answer = await meeting.run(lambda where, store: FLOWS[flow].run(where, scene, store))
    assert isinstance(meeting.rivals_answer[0], SUCCEEDED), meeting.rivals_answer
    return scene, meeting, answer


async def leave(scene: Scene) -> None:
    """Give the identifiers and the app back."""
    ports = {"store": scene.site.store, "world": scene.site.clock}
    await admin_accounts.close_account(f"#{scene.account.number}", **ports)
    await app_manage.change_app(scene.site.harness.app.name, {"disabled": False}, **ports)


async def faults_of(site: Site, url: str, flow: str, rival: str, when: When) -> list[str]:
    """Say what is not as the rival left it, or not refused as a dead proof is."""
    scene, meeting, answer = await overtaken(site, url, flow, rival, when)
    number, said = scene.account.number, f"{flow}, {rival}, {when}: "
    faults = []
    if not isinstance(answer, Denied) or answer.code not in refusals_of(flow):
        faults.append(f"{said}{answer}")
    if await state_of(site.store.read, number) != meeting.left[0]:
        faults.append(f"{said}it changed the account")
    if await site.store.read.accounts.find(number + 1) is not None:
        faults.append(f"{said}it made an account")
    await leave(scene)
    return faults


@pytest.mark.parametrize("flow", FLOWS)
async def test_who_was_overtaken_changes_nothing(postgres_site: Site, emptied_url: str, flow: str) -> None:
    faults = []
    for rival, when in pairs_of(flow):
        faults += await faults_of(postgres_site, emptied_url, flow, rival, when)
    assert faults == []


@pytest.mark.parametrize("flow", FLOWS)
async def test_nor_does_it_where_one_writes_at_a_time(site: Site, flow: str) -> None:
    faults = []
    for rival, when in pairs_of(flow):
        if when is When.BETWEEN:
            faults += await faults_of(site, "", flow, rival, when)
    assert faults == []


@pytest.mark.parametrize("flow", ["login by code to the phone", "login by phone and password", "refresh"])
async def test_what_was_granted_meanwhile_opens_nothing(postgres_site: Site, emptied_url: str, flow: str) -> None:
    """The epoch and the app are compared at each check."""
    pairs = [("epoch", When.HELD), ("app disabled", When.BETWEEN), ("app disabled", When.HELD)]
    for rival, when in pairs:
        scene, _, answer = await overtaken(postgres_site, emptied_url, flow, rival, when)
        assert isinstance(answer, Granted | Denied)
        if isinstance(answer, Granted):
            assert await postgres_site.alive(answer) == [False], (rival, when)
        assert await postgres_site.alive(scene.shop) == [False], (rival, when)
        await leave(scene)
