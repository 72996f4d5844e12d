"""Use the link of a notice: "that was not me". (docs/contracts/pages.md section 3, decision 0080.)

Each reader of the mailbox can use it. So it takes away and gives nothing: factors and the second step stay as they are.
"""

from __future__ import annotations

from menshen.core.account.security_links import NotMe, SecurityLink, may_end_password
from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import Template
from menshen.core.keys import Keyring
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import Instant
from menshen.core.tokens import digest
from menshen.flows.account.notices import notify
from menshen.flows.audit.recording import event_of
from menshen.flows.sessions.manage import end_all_sessions
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.store.store import ReadTx, Store, WriteTx
from menshen.ports.world import World


@use_case(FlowKind.LOOKUP, {ProblemCode.NOT_FOUND})
async def find_link(secret: str, origin: Origin, *, store: Store, world: World) -> SecurityLink | Denied:
    """Return the live link with this secret, and change nothing: programs that look at mails open links, too.

    Denied: NOT_FOUND, for an unknown one as for one that was used or is over. No try is counted: it has 128 bits.
    """
    return await _live(store.read, secret, world.now()) or Denied(ProblemCode.NOT_FOUND)


@use_case(FlowKind.CHANGE, {ProblemCode.NOT_FOUND})
async def not_me(
    secret: str, origin: Origin, *, store: Store, world: World, keyring: Keyring, policy: Policy
) -> NotMe | Denied:
    """Use a link up, and end all that is open at its account: sessions, trusted devices, codes and exports.

    The old password works no more, if the link was sent to what the account can be reset by: a reset is the way in
    then. Each proved contact gets a notice. Of all who use one link at once, one does it.
    Denied: NOT_FOUND, as `find_link`.
    """
    now = world.now()

    async def work(tx: WriteTx) -> NotMe | Denied:
        known = await _live(tx, secret, now)
        # The account is locked before the link, in the order of all others that lock both.
        account = await tx.accounts.hold(known.account_number) if known else None
        if account is None or await tx.security_links.burn(digest(secret), now) is None or known is None:
            return Denied(ProblemCode.NOT_FOUND)
        ends_password = may_end_password(keyring, account, known)
        if ends_password:
            await tx.accounts.set_password(account.number, "", now=now)
        await end_all_sessions(tx, account.number, origin, now, reason="not_me_link")
        await tx.export_tickets.remove_all(account.number)
        for subject in account.proved:
            await tx.codes.drop(subject)
        reason = "password_ended" if ends_password else "sessions_ended"
        await tx.audit.append(
            event_of(Tag.NOT_ME, origin, now, account=account.number, reason=reason, session_id=known.session_id)
        )
        template = Template.NOT_ME_RESET if ends_password else Template.NOT_ME
        await notify(tx, account.proved, template, now, origin=origin, keyring=keyring, policy=policy)
        return NotMe(ends_password)

    return await store.write(work)


async def _live(tx: ReadTx | WriteTx, secret: str, now: Instant) -> SecurityLink | None:
    found = await tx.security_links.find(digest(secret))
    return found if found and found.live(now) else None
