"""Remove the caller's phone or email. One that is proved has to stay: codes and notices need it. (decision 0080.)"""

from __future__ import annotations

from menshen.core.account.asks import Edited
from menshen.core.account.security_links import SecurityAct
from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import Template
from menshen.core.factors.freshness import has_fresh_proof
from menshen.core.gates.members import FRESH_BINDS
from menshen.core.identifiers import Kind, masked
from menshen.core.keys import Keyring
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.flows.account.notices import notify
from menshen.flows.audit.recording import event_of
from menshen.flows.gates.holding import hold_caller, lacks_factor_anywhere
from menshen.flows.gates.member_quotas import charge_member
from menshen.flows.sessions.manage import end_all_sessions
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World


@use_case(
    FlowKind.CHANGE,
    {ProblemCode.PROOF_REQUIRED, ProblemCode.FORBIDDEN, ProblemCode.NOT_FOUND, ProblemCode.UNAUTHENTICATED},
    quota=FRESH_BINDS,
)
async def drop_identifier(
    kind: Kind, caller: Authenticated, origin: Origin, *, store: Store, world: World, keyring: Keyring, policy: Policy
) -> Edited | Denied:
    """Remove the phone or email of the caller's account. All other sessions end, and both contacts get a notice.

    A proved one goes only if the other one is proved. It needs what `bind` needs without a proof in the request.
    Denied: PROOF_REQUIRED (no proof in the last 10 minutes, by a factor where any app asks for two), NOT_FOUND (there
    is none), FORBIDDEN (it is the last proved one), TOO_MANY_REQUESTS. (docs/contracts/factors.md section 8.)

    Raises:
        Problem: UNAUTHENTICATED, if the caller's session ended meanwhile.
    """
    now, session = world.now(), caller.session

    async def work(tx: WriteTx) -> Edited | Denied:
        account = await hold_caller(tx, caller)
        if not has_fresh_proof(account, session, origin.app, now):
            return Denied(ProblemCode.PROOF_REQUIRED)
        if await lacks_factor_anywhere(tx, account, session, origin, now):
            return Denied(ProblemCode.PROOF_REQUIRED)
        subject = {Kind.PHONE: account.phone, Kind.EMAIL: account.email}.get(kind)
        if not subject:
            return Denied(ProblemCode.NOT_FOUND)
        if account.proved == (subject,):
            return Denied(ProblemCode.FORBIDDEN, field=kind.value)
        if refusal := await charge_member(tx, FRESH_BINDS, caller, keyring=keyring, policy=policy, now=now):
            return refusal
        if not await tx.accounts.drop_identifier(account.number, kind, now=now):
            return Denied(ProblemCode.FORBIDDEN, field=kind.value)
        await end_all_sessions(tx, account.number, origin, now, reason="factor_changed", except_id=session.session_id)
        for proved in account.proved:
            await tx.codes.drop(proved)
        await tx.audit.append(
            event_of(Tag.IDENTIFIER_REMOVED, origin, now, account=account.number, subject=subject, reason=kind.value)
        )
        await notify(
            tx,
            account.proved,
            Template.IDENTIFIER_REMOVED,
            now,
            origin=origin,
            keyring=keyring,
            policy=policy,
            detail=masked(subject),
            act=SecurityAct(account.number, session.session_id),
        )
        present = await tx.accounts.find(account.number)
        return Edited(present or account)

    return await store.write(work)
