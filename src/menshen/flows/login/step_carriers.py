"""Get ready for a second step: the options of a passkey, and a code by SMS. (docs/contracts/factors.md section 11.)"""

from __future__ import annotations

from menshen.core.codes.asks import SendCode
from menshen.core.codes.one_time_codes import DIGITS, Purpose
from menshen.core.factors.challenges import RANDOM_BYTES
from menshen.core.factors.outcomes import CodeSent
from menshen.core.factors.passkeys import Ceremony, PublicKeyOptions
from menshen.core.factors.proofs import Factor
from menshen.core.identifiers import Kind, can_receive_sms, masked
from menshen.core.keys import Keyring
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.flows.codes.send import queue_code, traffic_of
from menshen.flows.login.steps import usable_factors
from menshen.flows.login.tickets import TICKET_INVALID, Held, find_ticket, hold_ticket
from menshen.flows.proofs.assertions import request_options, site_of
from menshen.flows.proofs.counting import count_code, refund_code
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World


@use_case(FlowKind.LOOKUP, {ProblemCode.TICKET_INVALID, ProblemCode.NOT_FOUND})
async def step_options(
    ticket: str, origin: Origin, *, store: Store, world: World, keyring: Keyring, policy: Policy
) -> PublicKeyOptions | Denied:
    """Return the request options for the passkeys of a pending login. They are good for its ticket alone.

    Denied: TICKET_INVALID, also for the ticket of an enrolment. NOT_FOUND, if the account has no passkey of this site.
    """
    now = world.now()
    pending = await find_ticket(store.read, ticket, origin, keyring=keyring, now=now)
    if pending is None or pending.enroll:
        return TICKET_INVALID
    rp_id = site_of(origin, policy).rp_id
    passkeys = await store.read.passkeys.list_of(pending.account_number)
    allowed = [passkey for passkey in passkeys if passkey.rp_id == rp_id]
    if not allowed:
        return Denied(ProblemCode.NOT_FOUND)
    return request_options(
        Ceremony.STEP,
        ticket,
        origin,
        allowed=allowed,
        keyring=keyring,
        policy=policy,
        chance=world.token_bytes(RANDOM_BYTES),
        now=now,
    )


@use_case(
    FlowKind.CODE_SENT,
    {ProblemCode.TICKET_INVALID, ProblemCode.TOO_MANY_REQUESTS, ProblemCode.FORBIDDEN, ProblemCode.COUNTRY_NOT_ALLOWED},
)
async def send_step_code(
    ticket: str, origin: Origin, *, store: Store, world: World, keyring: Keyring, policy: Policy
) -> CodeSent | Denied:
    """Send a code to the proved phone of a pending login: as its second step, or to allow its enrolment.

    It is charged as each other code is, and asks for no captcha: a first proof came before it.
    Denied: TICKET_INVALID, TOO_MANY_REQUESTS, COUNTRY_NOT_ALLOWED, FORBIDDEN (the app allows no SMS as a step, an SMS
    was the first proof, or the enrolment needs none). (docs/security/attacks.md MF-12.)
    """
    now = world.now()
    code = world.digits(DIGITS)

    async def work(tx: WriteTx) -> CodeSent | Denied:
        held = await hold_ticket(tx, ticket, origin, keyring=keyring, now=now)
        if held is None:
            return TICKET_INVALID
        phone = held.account.phone if held.account.phone_verified else None
        if not phone or not await _needs_code(tx, held, origin):
            return Denied(ProblemCode.FORBIDDEN)
        if refusal := await count_code(tx, held.account.number, keyring=keyring, policy=policy, now=now):
            # No code would be judged now, and each message costs money.
            return refusal
        await refund_code(tx, held.account.number, keyring=keyring)
        if not can_receive_sms(phone, policy.sms_countries):
            return Denied(ProblemCode.COUNTRY_NOT_ALLOWED, field="phone")
        ask = SendCode(Kind.PHONE, phone, Purpose.STEP, None)
        traffic = await traffic_of(tx, ask, policy, now)
        sent = await queue_code(
            tx, ask, origin, code=code, solved=False, traffic=traffic, keyring=keyring, policy=policy, now=now
        )
        return sent if isinstance(sent, Denied) else CodeSent(masked(phone))

    return await store.write(work)


async def _needs_code(tx: WriteTx, held: Held, origin: Origin) -> bool:
    """Return whether a code by SMS brings this login on."""
    if held.pending.enroll:
        return bool(held.pending.phone_due)
    return Factor.SMS in await usable_factors(tx, held.account, origin.app, held.pending.proof)
