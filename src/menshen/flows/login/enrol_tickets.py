"""Judge the ticket of a login that must enrol a factor. (docs/contracts/factors.md section 3.)"""

from __future__ import annotations

from dataclasses import dataclass

from menshen.core.account.accounts import Account
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.factors.pending import PendingLogin
from menshen.core.factors.proofs import Factor
from menshen.core.gates.limits import Claim
from menshen.core.gates.members import FACTOR_CHANGES
from menshen.core.keys import Keyring
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import Instant
from menshen.core.tokens import digest
from menshen.flows.codes.attempts import code_key, try_code
from menshen.flows.factors.counting import count_code, refund_code, wrong_code
from menshen.flows.login.steps import step_device
from menshen.ports.store.store import WriteTx


@dataclass(frozen=True, slots=True)
class OpenedTicket:
    """Hold the pending login of a ticket that fits its request, and the account, which is held."""

    pending: PendingLogin
    account: Account


async def open_ticket(
    tx: WriteTx, ticket: str, origin: Origin, *, keyring: Keyring, now: Instant
) -> OpenedTicket | Denied:
    """Find the pending login of an enrolment, and lock its account. Denied: TICKET_INVALID, for each reason alike."""
    invalid, key = Denied(ProblemCode.TICKET_INVALID), digest(ticket)
    found = await tx.pending_logins.find(key)
    account = await tx.accounts.hold(found.account_number) if found else None
    # It is read again behind the lock: the account may have changed while this call waited.
    pending = await tx.pending_logins.find(key) if account else None
    if account is None or pending is None or not account.active or not pending.enroll:
        return invalid
    cookie_fits = keyring.step_cookie_fits(ticket, origin.step.cookie)
    if now >= pending.expires_at or not pending.fits(origin, step_device(origin), cookie_fits=cookie_fits):
        return invalid
    versions = (pending.password_version, pending.factors_version)
    return (
        OpenedTicket(pending, account) if versions == (account.password_version, account.factors_version) else invalid
    )


async def open_live_ticket(
    tx: WriteTx, ticket: str, origin: Origin, *, keyring: Keyring, now: Instant
) -> OpenedTicket | Denied:
    """Find as `open_ticket`. A ticket with no tries left is denied, too: PROOF_REQUIRED, while a code by SMS is due."""
    opened = await open_ticket(tx, ticket, origin, keyring=keyring, now=now)
    if isinstance(opened, Denied):
        return opened
    if not opened.pending.live(now):
        return Denied(ProblemCode.TICKET_INVALID)
    return Denied(ProblemCode.PROOF_REQUIRED) if opened.pending.phone_due else opened


async def allow_enrolment(
    tx: WriteTx, opened: OpenedTicket, sms_code: str, origin: Origin, *, keyring: Keyring, policy: Policy, now: Instant
) -> Denied | None:
    """Spend the SMS code that allows the enrolment, where one is due. It is counted as each code of a step.

    Denied: PROOF_REQUIRED, WRONG_CODE, TOO_MANY_REQUESTS.
    """
    pending, account = opened.pending, opened.account
    if not pending.phone_due:
        return None
    if not sms_code or not account.phone or not account.phone_verified:
        return Denied(ProblemCode.PROOF_REQUIRED)
    if refusal := await count_code(tx, account.number, keyring=keyring, policy=policy, now=now):
        return refusal
    key = code_key(origin, Purpose.STEP, account.phone)
    refusal = await try_code(tx, key, sms_code, origin, keyring=keyring, policy=policy, now=now)
    if refusal and refusal.code is ProblemCode.WRONG_CODE:
        await wrong_code(tx, account.number, Factor.SMS, origin, keyring=keyring, policy=policy, now=now)
        return refusal
    await refund_code(tx, account.number, keyring=keyring)
    if refusal is None:
        await tx.pending_logins.allow_enrolment(pending.ticket)
    return refusal


async def charge_enrolment(
    tx: WriteTx, account: Account, *, keyring: Keyring, policy: Policy, now: Instant
) -> Denied | None:
    """Charge one change of factors, as a session is charged. Denied: TOO_MANY_REQUESTS."""
    key = keyring.counter_key(FACTOR_CHANGES.quota, str(account.number))
    claim = Claim(key, FACTOR_CHANGES.most(policy.limits), FACTOR_CHANGES.window)
    wait = await tx.counters.charge([claim], now)
    return Denied(ProblemCode.TOO_MANY_REQUESTS, wait) if wait else None
