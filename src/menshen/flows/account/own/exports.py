"""Order an export of one's own account, and fetch it within a day. (docs/contracts/pages.md section 3, decision 0080.)

No copy of the data rests: the document is collected when it is fetched.
"""

from __future__ import annotations

from collections.abc import Sequence

from menshen.core.account.accounts import Account
from menshen.core.account.export_tickets import LIFETIME, MOST_FETCHES, ExportTicket, may_be_id
from menshen.core.audit.events import Tag
from menshen.core.audit.export import Export
from menshen.core.factors.freshness import has_fresh_proof, has_proof
from menshen.core.gates.members import EXPORTS, SESSION_CALLS
from menshen.core.keys import Keyring
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.time import after
from menshen.core.tokens import TOKEN_BYTES, base32
from menshen.flows.account.export import collect
from menshen.flows.audit.recording import event_of
from menshen.flows.gates.holding import hold_caller
from menshen.flows.gates.member_quotas import charge_member
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World


@use_case(FlowKind.CHANGE, {ProblemCode.PROOF_REQUIRED, ProblemCode.UNAUTHENTICATED}, quota=EXPORTS)
async def order_export(
    caller: Authenticated, origin: Origin, *, store: Store, world: World, keyring: Keyring, policy: Policy
) -> ExportTicket | Denied:
    """Allow the caller's account to fetch an export, up to 5 times in 24 hours. It needs what `export_own` needs.

    Denied: PROOF_REQUIRED (no login or proof of identity in the last 10 minutes, by a factor for an account with a
    second step), TOO_MANY_REQUESTS, counted after it with exports. (docs/contracts/factors.md section 8.)

    Raises:
        Problem: UNAUTHENTICATED, if the caller's session ended meanwhile.
    """
    now, session = world.now(), caller.session
    ticket = ExportTicket(base32(world.token_bytes(TOKEN_BYTES)), after(now, LIFETIME), now)

    async def work(tx: WriteTx) -> ExportTicket | Denied:
        account = await hold_caller(tx, caller)
        if not has_fresh_proof(account, session, origin.app, now):
            return Denied(ProblemCode.PROOF_REQUIRED)
        if refusal := await charge_member(tx, EXPORTS, caller, keyring=keyring, policy=policy, now=now):
            return refusal
        await tx.export_tickets.add(account.number, ticket)
        await tx.audit.append(
            event_of(Tag.EXPORT_ORDERED, origin, now, account=account.number, session_id=session.session_id)
        )
        return ticket

    return await store.write(work)


@use_case(
    FlowKind.LOOKUP,
    {ProblemCode.PROOF_REQUIRED, ProblemCode.NOT_FOUND, ProblemCode.UNAUTHENTICATED},
    quota=SESSION_CALLS,
)
async def fetch_export(
    ticket_id: str, caller: Authenticated, origin: Origin, *, store: Store, world: World
) -> Export | Denied:
    """Return all that is kept about the caller's account now, by a ticket of the account. Each fetch is an event.

    The session must have proved identity at some time: one that a QR code opened did not.
    Denied: PROOF_REQUIRED, NOT_FOUND (no such ticket of this account, over, or fetched 5 times), TOO_MANY_REQUESTS.

    Raises:
        Problem: UNAUTHENTICATED, if the caller's session ended meanwhile.
    """
    now, session = world.now(), caller.session

    async def admit(tx: WriteTx) -> Account | Denied:
        account = await hold_caller(tx, caller)
        if not has_proof(account, session, origin.app):
            return Denied(ProblemCode.PROOF_REQUIRED)
        if not may_be_id(ticket_id) or not await tx.export_tickets.fetch(
            ticket_id, account.number, now, most=MOST_FETCHES
        ):
            return Denied(ProblemCode.NOT_FOUND)
        await tx.audit.append(
            event_of(Tag.ACCOUNT_EXPORTED, origin, now, account=account.number, session_id=session.session_id)
        )
        return account

    admitted = await store.write(admit)
    return admitted if isinstance(admitted, Denied) else await collect(admitted, store=store, now=now)


@use_case(FlowKind.LOOKUP, quota=SESSION_CALLS)
async def list_exports(
    caller: Authenticated,
    origin: Origin,
    *,
    store: Store,
    world: World,
) -> Sequence[ExportTicket] | Denied:
    """Return the exports that the caller's account can still fetch, the newest first. Denied: TOO_MANY_REQUESTS."""
    return await store.read.export_tickets.list_of(caller.account.number, world.now(), most=MOST_FETCHES)
