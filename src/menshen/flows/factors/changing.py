"""Begin and finish changes of factors, and remove a factor. (docs/contracts/factors.md section 10.)"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from menshen.core.account.accounts import Account
from menshen.core.account.security_links import SecurityAct
from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import Template
from menshen.core.factors.removing import may_remove
from menshen.core.gates.members import FACTOR_CHANGES
from menshen.core.keys import Keyring
from menshen.core.outcomes import ActionOutcome, Done
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.time import Instant
from menshen.flows.account.notices import notify
from menshen.flows.audit.recording import event_by
from menshen.flows.gates.holding import asked_anywhere
from menshen.flows.gates.member_quotas import charge_member
from menshen.flows.sessions.manage import end_all_sessions
from menshen.ports.store.store import WriteTx


async def finish_change(
    tx: WriteTx,
    account: Account,
    origin: Origin | None,
    tag: Tag,
    template: Template | None,
    *,
    keyring: Keyring,
    policy: Policy,
    now: Instant,
    reason: str = "",
    keep_session: str | None = None,
    second_step: bool | None = None,
    detail: str = "",
) -> None:
    """Raise the version of a held account's factors, end its other sessions, append the event, and notify the owner.

    All sessions but `keep_session` end, with all pending logins and trusted devices. `second_step` turns it on or off.
    Where the removal of the last factor turns it off, that is an event, too. The notice goes to each proved phone and
    email. `origin` is None for an administrator.
    """
    await tx.accounts.change_factors(account.number, now=now, second_step=second_step)
    await end_all_sessions(tx, account.number, origin, now, reason="factor_changed", except_id=keep_session)
    await tx.audit.append(event_by(origin, tag, now, account=account.number, reason=reason))
    if account.second_step and second_step is False and tag is Tag.FACTOR_REMOVED:
        await tx.audit.append(event_by(origin, Tag.SECOND_STEP_OFF, now, account=account.number, reason=tag))
    if template is not None:
        act = SecurityAct(account.number, keep_session or "")
        await notify(
            tx, account.proved, template, now, origin=origin, keyring=keyring, policy=policy, detail=detail, act=act
        )


async def remove_one(
    tx: WriteTx,
    account: Account,
    remove: Callable[[], Awaitable[object]],
    caller: Authenticated,
    origin: Origin,
    *,
    kind: str,
    factors_left: int,
    logins_left: int,
    keyring: Keyring,
    policy: Policy,
    now: Instant,
) -> ActionOutcome:
    """Remove a factor of a held account, if another way in remains. `remove` deletes its row.

    `factors_left` and `logins_left` are as in `may_remove`. With the last factor, the recovery codes go and the second
    step is off. Denied: FORBIDDEN, TOO_MANY_REQUESTS.
    """
    asked = await asked_anywhere(tx, account)
    if not may_remove(account, asked=asked, factors_left=factors_left, logins_left=logins_left):
        return Denied(ProblemCode.FORBIDDEN)
    if refusal := await charge_member(tx, FACTOR_CHANGES, caller, keyring=keyring, policy=policy, now=now):
        return refusal
    await remove()
    if not factors_left:
        await tx.recovery_codes.remove_all(account.number)
    await finish_change(
        tx,
        account,
        origin,
        Tag.FACTOR_REMOVED,
        Template.FACTOR_REMOVED,
        keyring=keyring,
        policy=policy,
        now=now,
        reason=kind,
        keep_session=caller.session.session_id,
        second_step=None if factors_left else False,
    )
    return Done()
