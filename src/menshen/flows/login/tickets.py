"""Find pending logins by their tickets, and complete them. Every call with a ticket begins here.

An unknown ticket, a dead one and one of another app, dialect, device, browser or network get one answer. So a ticket
that was planted or stolen shows nothing. (docs/contracts/factors.md section 3, docs/security/attacks.md MF-1.)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from menshen.core.account.accounts import Account
from menshen.core.audit.events import Tag
from menshen.core.factors.pending import PendingLogin
from menshen.core.factors.proofs import Proof
from menshen.core.keys import Keyring
from menshen.core.login.outcomes import Granted, LoginOutcome
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import Instant
from menshen.core.tokens import digest
from menshen.flows.audit.recording import event_of
from menshen.flows.gates.known_origin import how_known
from menshen.flows.gates.password_attempts import suspension_keys
from menshen.flows.login.finish import Minted, finish_login
from menshen.flows.login.steps import step_device, tickets_key
from menshen.ports.store.store import ReadTx, WriteTx

TICKET_INVALID: Final = Denied(ProblemCode.TICKET_INVALID)
"""The one answer for each ticket that this request cannot use."""


@dataclass(frozen=True, slots=True)
class Held:
    """Hold a pending login and its account, as they are behind the lock."""

    pending: PendingLogin
    account: Account

    def is_elsewhere(self, origin: Origin) -> bool:
        """Return whether the request comes from another network than the first proof."""
        return self.pending.network != origin.network


async def find_ticket(
    tx: ReadTx | WriteTx, ticket: str, origin: Origin, *, keyring: Keyring, now: Instant, counted: bool = False
) -> PendingLogin | None:
    """Return the live pending login of a ticket, None if this request cannot use it.

    With `counted`, the request has counted its step already, and that may have been the last one.
    """
    pending = await tx.pending_logins.find(digest(ticket))
    cookie_fits = keyring.step_cookie_fits(ticket, origin.step.cookie)
    if pending is None or not (pending.live(now) or (counted and now < pending.expires_at)):
        return None
    return pending if pending.fits(origin, step_device(origin), cookie_fits=cookie_fits) else None


async def hold_ticket(
    tx: WriteTx, ticket: str, origin: Origin, *, keyring: Keyring, now: Instant, counted: bool = False
) -> Held | None:
    """Lock the account of a ticket for the rest of the transaction. `counted` and None are as in `find_ticket`.

    None, too, if the account may not log in any more, or if its password or its factors changed since the first proof.
    (docs/security/attacks.md MF-7.)
    """
    pending = await find_ticket(tx, ticket, origin, keyring=keyring, now=now, counted=counted)
    account = await tx.accounts.hold(pending.account_number) if pending else None
    # Each act that ends a pending login holds the account. What was read before the lock may have ended meanwhile.
    if account:
        pending = await find_ticket(tx, ticket, origin, keyring=keyring, now=now, counted=counted)
    if pending is None or account is None or not account.active:
        return None
    judged = (pending.password_version, pending.factors_version)
    return Held(pending, account) if judged == (account.password_version, account.factors_version) else None


async def complete(
    tx: WriteTx,
    held: Held,
    proof: Proof,
    factor: str,
    origin: Origin,
    minted: Minted,
    *,
    keyring: Keyring,
    policy: Policy,
    now: Instant,
) -> LoginOutcome:
    """Take a held pending login, and open its session, in place of those that the login's first request named.

    `proof` is what the step proved by `factor`. Of all callers with one ticket, exactly one gets the session. A step
    from another network than the first proof is an event. Denied: TICKET_INVALID.
    """
    pending = await tx.pending_logins.take(held.pending.ticket, now)
    if pending is None:
        return TICKET_INVALID
    # What the account knows was not counted when the login began, and has nothing to be refunded.
    counted = [] if await how_known(tx.devices, held.account, origin) else [tickets_key(keyring, held.account.number)]
    outcome = await finish_login(
        tx,
        held.account,
        # A browser may have got another cookie meanwhile: that one is what this login replaces.
        replace(origin, presented=pending.replaces or origin.presented, cookie=origin.cookie or pending.cookie),
        minted,
        keyring=keyring,
        policy=policy,
        now=now,
        method=f"{pending.began}+{factor}",
        proof=pending.proof.joined(proof),
        began=pending.began,
        platform=pending.platform,
        judged_version=pending.password_version,
        reset_counters=suspension_keys(keyring, held.account, origin),
        refund_counters=counted,
    )
    if isinstance(outcome, Granted) and held.is_elsewhere(origin):
        number, session_id = held.account.number, outcome.session.session_id
        await tx.audit.append(event_of(Tag.STEP_ELSEWHERE, origin, now, account=number, session_id=session_id))
    return outcome or TICKET_INVALID
