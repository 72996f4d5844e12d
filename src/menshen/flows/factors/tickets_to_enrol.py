"""Judge the ticket of a login that must enrol a factor. (docs/contracts/factors.md section 3.)"""

from __future__ import annotations

from typing import Final

from menshen.core.codes.one_time_codes import Purpose
from menshen.core.factors.pending import LIFETIME
from menshen.core.factors.proofs import Factor
from menshen.core.gates.limits import Claim, Quota
from menshen.core.keys import Keyring
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import Instant
from menshen.flows.codes.attempts import code_key, try_code
from menshen.flows.login.tickets import TICKET_INVALID, Held, hold_ticket
from menshen.flows.proofs.counting import count_code, refund_code, wrong_code
from menshen.ports.store.store import WriteTx

_MOST_BEGUN: Final = 10
"""Enrolments that one ticket may begin."""


async def hold_enrolment(
    tx: WriteTx, ticket: str, origin: Origin, *, keyring: Keyring, now: Instant, counted: bool = False
) -> Held | Denied:
    """Lock as `hold_ticket`. Denied: TICKET_INVALID, also for the ticket of an account that has a factor."""
    held = await hold_ticket(tx, ticket, origin, keyring=keyring, now=now, counted=counted)
    return held if held and held.pending.enroll else TICKET_INVALID


async def allow_enrolment(
    tx: WriteTx, held: Held, sms_code: str, origin: Origin, *, keyring: Keyring, policy: Policy, now: Instant
) -> Denied | None:
    """Spend the SMS code that allows the enrolment, where one is due. It is counted as each code of a step.

    Denied: PROOF_REQUIRED, WRONG_CODE, TOO_MANY_REQUESTS.
    """
    pending, account = held.pending, held.account
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


async def charge_enrolment(tx: WriteTx, held: Held, *, keyring: Keyring, now: Instant) -> Denied | None:
    """Charge one begun enrolment to its ticket. Denied: TOO_MANY_REQUESTS.

    The account's own quota is for sessions: a thief of the password must not use up its owner's changes.
    """
    claim = Claim(keyring.counter_key(Quota.ENROL_TICKET, held.pending.ticket.hex()), _MOST_BEGUN, LIFETIME)
    wait = await tx.counters.charge([claim], now)
    return Denied(ProblemCode.TOO_MANY_REQUESTS, wait) if wait else None
