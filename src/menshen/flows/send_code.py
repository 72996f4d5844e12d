"""Send a one-time code: a budgeted resource, behind a captcha, the same for known and unknown numbers.

The message goes through the outbox in the transaction of its code, so the answer's time says nothing about
the carrier, and a code is never known to one and not to the other.
"""

from __future__ import annotations

from menshen.core.captcha import Action, PassPresented
from menshen.core.events import Tag
from menshen.core.identifiers import Kind, can_receive_sms
from menshen.core.keys import Keyring
from menshen.core.limits import Claim, Hit, Tally, send_claims
from menshen.core.login import CodeSent, Origin, SendCode
from menshen.core.messages import Channel, Message, Template
from menshen.core.one_time_codes import DIGITS, LIFETIME, CodeChallenge, Purpose
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import DAY, Instant, after, seconds_until
from menshen.core.tokens import digest
from menshen.flows.captcha import burn
from menshen.flows.code_tries import code_key, code_macs
from menshen.flows.recording import event_of
from menshen.ports.store import Store, WriteTx
from menshen.ports.world import World

_TEMPLATES = {
    Purpose.LOGIN: Template.CODE_LOGIN,
    Purpose.SIGNUP: Template.CODE_SIGNUP,
    Purpose.RESET: Template.CODE_RESET,
    Purpose.BIND: Template.CODE_BIND,
    Purpose.PROOF: Template.CODE_PROOF,
    Purpose.VERIFY: Template.CODE_VERIFY,
}


async def send_code(
    ask: SendCode,
    origin: Origin,
    *,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
) -> CodeSent | Denied:
    """Queue a code of six digits, valid 300 s; the older one for the same app, purpose and subject is dead.

    Denied: CAPTCHA_REQUIRED, CAPTCHA_INVALID, COUNTRY_NOT_ALLOWED, TOO_MANY_REQUESTS. (contracts/core.md section 4.)
    """
    now = world.now()
    code = world.digits(DIGITS)
    key = code_key(origin, ask.purpose, ask.subject)
    presented = digest(ask.captcha.token) if isinstance(ask.captcha, PassPresented) else b""

    async def work(tx: WriteTx) -> CodeSent | Denied:
        if ask.purpose.needs_captcha and (
            refusal := await burn(tx, ask.captcha, Action.SEND_CODE, origin, keyring, now)
        ):
            return refusal
        if ask.kind is Kind.PHONE and not can_receive_sms(ask.subject, policy.sms_countries):
            return Denied(ProblemCode.COUNTRY_NOT_ALLOWED, field="phone")
        if wait := await _charge(tx, ask, origin, keyring, policy, now):
            await tx.audit.append(
                event_of(Tag.CODE_REFUSED, origin, now, subject=ask.subject, reason=f"{ask.purpose.value}:not_sent")
            )
            return Denied(ProblemCode.TOO_MANY_REQUESTS, wait)
        if policy.test_number(ask.subject, now) is None:
            mac = code_macs(keyring, key, code)[0]
            await tx.codes.put(CodeChallenge(key, mac, presented, now, after(now, LIFETIME)))
            channel = Channel.SMS if ask.kind is Kind.PHONE else Channel.EMAIL
            await tx.outbox.put(Message(channel, ask.subject, _TEMPLATES[ask.purpose], origin.language, now, code=code))
        await tx.audit.append(event_of(Tag.CODE_SENT, origin, now, subject=ask.subject, reason=ask.purpose.value))
        return CodeSent()

    return await store.write(work)


async def _charge(
    tx: WriteTx, ask: SendCode, origin: Origin, keyring: Keyring, policy: Policy, now: Instant
) -> int | None:
    """Charge the quotas and budgets; seconds to wait when one of them is full."""
    claims = [
        Claim(keyring.counter_key(name, who.decode()), most, window)
        for name, who, most, window in send_claims(policy.limits, ask.subject.encode(), origin.network.encode())
    ]
    if wait := await tx.counters.charge(claims, now):
        return wait
    budgets = [("all", policy.limits.send_budget_per_day)]
    if origin.app.sms_per_day:
        budgets.append((f"app:{origin.app.app_id}", origin.app.sms_per_day))
    counts = await tx.counters.hit(
        [Hit(keyring.counter_key(Tally.CODE_BUDGET, name), DAY, budget) for name, budget in budgets], now
    )
    for (name, budget), count in zip(budgets, counts, strict=True):
        if count.tries == max(1, budget // 2):
            await tx.audit.append(event_of(Tag.CODE_BUDGET_HALF, origin, now, reason=name))
        if count.tries == budget + 1:
            await tx.audit.append(event_of(Tag.CODE_BUDGET_SPENT, origin, now, reason=name))
    full = [
        seconds_until(count.since + DAY, now)
        for (_, budget), count in zip(budgets, counts, strict=True)
        if count.tries > budget
    ]
    return max(full) if full else None
