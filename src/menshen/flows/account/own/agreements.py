"""Keep to what people agreed: the terms of an app, and its further consents. (docs/contracts/pages.md section 3.)"""

from __future__ import annotations

from collections.abc import Sequence

from menshen.core.account.agreements import AgreedTerms, Agreement, may_be_kept
from menshen.core.audit.events import Tag
from menshen.core.gates.members import EDITS, SESSION_CALLS
from menshen.core.outcomes import ActionOutcome, Done
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.flows.audit.recording import event_of
from menshen.flows.gates.holding import hold_caller
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World


@use_case(FlowKind.CHANGE, {ProblemCode.INVALID_REQUEST, ProblemCode.UNAUTHENTICATED}, quota=EDITS)
async def agree(
    asked: Sequence[Agreement], caller: Authenticated, origin: Origin, *, store: Store, world: World
) -> ActionOutcome:
    """Keep that the caller agreed to these texts at the app of the request, with the time and the address.

    The wire passes what the settings of the app name, at most 16. A version that stands is not written again, and
    leaves no event. Denied: INVALID_REQUEST, TOO_MANY_REQUESTS.

    Raises:
        Problem: UNAUTHENTICATED, if the caller's session ended meanwhile.
    """
    if not may_be_kept(asked):
        return Denied(ProblemCode.INVALID_REQUEST)
    now, app = world.now(), origin.app.app_id

    async def work(tx: WriteTx) -> ActionOutcome:
        account = await hold_caller(tx, caller)
        for one in asked:
            if await tx.agreements.add(account.number, AgreedTerms(one.kind, one.version, app, now, origin.ip)):
                reason = f"{one.kind}:{one.version}"
                await tx.audit.append(event_of(Tag.TERMS_AGREED, origin, now, account=account.number, reason=reason))
        return Done()

    return await store.write(work)


@use_case(FlowKind.LOOKUP, quota=SESSION_CALLS)
async def agreements(caller: Authenticated, origin: Origin, *, store: Store) -> Sequence[AgreedTerms] | Denied:
    """Return to what the caller agreed, at all apps, the newest first. Denied: TOO_MANY_REQUESTS, by the quota.

    `core.account.agreements.stands` tells whether a version is among them.
    """
    return await store.read.agreements.list_of(caller.account.number)
