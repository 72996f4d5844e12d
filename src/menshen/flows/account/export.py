"""Give an account's owner, or an operator, all that is kept about the account. (decision 0063.)"""

from __future__ import annotations

from menshen.core.account.accounts import Account
from menshen.core.audit.events import Tag
from menshen.core.audit.export import EVENTS_MOST, Export, export_of
from menshen.core.audit.filters import EventFilter
from menshen.core.factors.freshness import has_fresh_proof
from menshen.core.gates.members import EXPORTS
from menshen.core.keys import Keyring
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.sessions.sessions import listed
from menshen.core.time import Instant
from menshen.flows.account.holdings import read_holdings
from menshen.flows.audit.recording import event_of
from menshen.flows.gates.holding import hold_caller
from menshen.flows.gates.member_quotas import charge_member
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World


@use_case(FlowKind.LOOKUP, {ProblemCode.PROOF_REQUIRED, ProblemCode.UNAUTHENTICATED}, quota=EXPORTS)
async def export_own(
    caller: Authenticated, origin: Origin, *, store: Store, world: World, keyring: Keyring, policy: Policy
) -> Export | Denied:
    """Return all that is kept about the caller's account. The export is an event of its own.

    Denied: PROOF_REQUIRED (no login or proof of identity in the last 10 minutes, by a factor for an account with a
    second step), TOO_MANY_REQUESTS, counted after it.
    (docs/contracts/weidu.md section 5.12, docs/contracts/factors.md section 8.)

    Raises:
        Problem: UNAUTHENTICATED, if the caller's session ended meanwhile.
    """
    now, session = world.now(), caller.session

    async def admit(tx: WriteTx) -> Account | Denied:
        account = await hold_caller(tx, caller)
        if not has_fresh_proof(account, session, origin.app, now):
            return Denied(ProblemCode.PROOF_REQUIRED)
        if refusal := await charge_member(tx, EXPORTS, caller, keyring=keyring, policy=policy, now=now):
            return refusal
        await tx.audit.append(
            event_of(Tag.ACCOUNT_EXPORTED, origin, now, account=account.number, session_id=session.session_id)
        )
        return account

    admitted = await store.write(admit)
    return admitted if isinstance(admitted, Denied) else await collect(admitted, store=store, now=now)


async def collect(account: Account, *, store: Store, now: Instant) -> Export:
    """Read what belongs to `account` beside its own row, and make the document. `export_of` limits its size."""
    number = account.number
    apps = {app.app_id: app.name for app in await store.read.apps.list_all()}
    sessions = listed(await store.read.sessions.list_of(number), apps, now, in_full=True)
    holdings = await read_holdings(store.read, number, now)
    devices = await store.read.devices.list_of(number)
    events = await store.read.audit.list_events(EventFilter(number), limit=EVENTS_MOST + 1)
    agreed = await store.read.agreements.list_of(number)
    return export_of(account, sessions, devices, events, apps, now, holdings=holdings, agreed=agreed)
