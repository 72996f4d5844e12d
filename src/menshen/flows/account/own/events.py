"""Show the owner of an account what happened to it. (docs/contracts/pages.md section 3, decision 0080.)"""

from __future__ import annotations

from collections.abc import Sequence

from menshen.core.audit.own_events import ACTS, ACTS_READ, MOST_TRIES, TRIES, OwnEvent, own_events
from menshen.core.factors.freshness import has_fresh_proof
from menshen.core.gates.members import SESSION_CALLS
from menshen.core.problems import Denied
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.store.store import Store
from menshen.ports.world import World


@use_case(FlowKind.LOOKUP, quota=SESSION_CALLS)
async def list_own_events(
    caller: Authenticated, origin: Origin, *, store: Store, world: World
) -> Sequence[OwnEvent] | Denied:
    """Return the last 50 events of the caller's account that concern its owner, the newest first.

    At most 10 of them are tries that failed, so that a stranger who fails pushes nothing out. Addresses are shortened
    without a proof of identity in the last 10 minutes. Denied: TOO_MANY_REQUESTS, by the quota.
    """
    number = caller.account.number
    in_full = has_fresh_proof(caller.account, caller.session, origin.app, world.now())
    apps = {app.app_id: app.name for app in await store.read.apps.list_all()}
    acts = await store.read.audit.list_of_owner(number, ACTS, limit=ACTS_READ)
    tries = await store.read.audit.list_of_owner(number, TRIES, limit=MOST_TRIES)
    return own_events(acts, tries, apps, in_full=in_full)
