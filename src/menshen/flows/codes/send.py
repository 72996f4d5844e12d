"""Send a one-time code: a budgeted resource, behind a captcha, the same for known and unknown numbers.

Where codes go and do not come back, somebody earns on them: the captcha becomes hard there, and whoever shows
none is refused.

The message goes through the outbox in the transaction of its code, so the answer's time says nothing about
the carrier, and a code is never known to one and not to the other.
"""

from __future__ import annotations

from dataclasses import replace

from menshen.core.audit.events import Tag
from menshen.core.codes.asks import CodeSent, SendCode
from menshen.core.codes.messages import Message, Template, channel_to
from menshen.core.codes.one_time_codes import DIGITS, LIFETIME, CodeChallenge, Purpose
from menshen.core.codes.sms_traffic import (
    PUMPED_DIFFICULTY,
    Traffic,
    country_of,
    day_of,
    is_pumped,
    is_worth_an_alarm,
    prefix_of,
)
from menshen.core.gates.captcha import Action, PassPresented
from menshen.core.gates.limits import Claim, Hit, Tally, send_claims
from menshen.core.identifiers import Kind, can_receive_sms
from menshen.core.keys import Keyring
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import DAY, HOUR, SECOND, Instant, after, seconds_until
from menshen.core.tokens import digest
from menshen.flows.audit.recording import append_refusal, event_of
from menshen.flows.codes.attempts import code_key, code_macs
from menshen.flows.gates.captcha import ASKS_FOR_CAPTCHA, CAPTCHA_REFUSALS, burn
from menshen.flows.gates.device_signs import SIGN_REFUSALS, spend_sign
from menshen.flows.gates.risk_signals import network_difficulty
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.captcha import CaptchaProvider
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World

_TEMPLATES = {
    Purpose.LOGIN: Template.CODE_LOGIN,
    Purpose.SIGNUP: Template.CODE_SIGNUP,
    Purpose.RESET: Template.CODE_RESET,
    Purpose.BIND: Template.CODE_BIND,
    Purpose.PROOF: Template.CODE_PROOF,
    Purpose.VERIFY: Template.CODE_VERIFY,
}


@use_case(
    FlowKind.CODE_SENT,
    CAPTCHA_REFUSALS | SIGN_REFUSALS | {ProblemCode.COUNTRY_NOT_ALLOWED, ProblemCode.TOO_MANY_REQUESTS},
    deny_list=True,
)
async def send_code(
    ask: SendCode,
    origin: Origin,
    *,
    captcha: CaptchaProvider,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
) -> CodeSent | Denied:
    """Queue a code of six digits, valid 300 s; the older one for the same app, purpose and subject is dead.

    Denied: CAPTCHA_REQUIRED, CAPTCHA_INVALID, COUNTRY_NOT_ALLOWED, TOO_MANY_REQUESTS.
    (docs/contracts/core.md section 4.1.)
    """
    now = world.now()
    code = world.digits(DIGITS)
    key = code_key(origin, ask.purpose, ask.subject)
    presented = digest(ask.captcha.token) if isinstance(ask.captcha, PassPresented) else b""

    async def work(tx: WriteTx) -> tuple[CodeSent | Denied, int]:
        traffic = await _traffic(tx, ask, policy, now)
        pumped = is_pumped(traffic, policy.limits)
        difficulty = 1
        if ask.purpose.needs_captcha:
            deserved = await network_difficulty(tx.counters, origin, keyring=keyring, policy=policy, now=now)
            difficulty = max(deserved, PUMPED_DIFFICULTY) if pumped else deserved
            if refusal := await burn(tx, ask.captcha, Action.SEND_CODE, origin, keyring, now, difficulty=difficulty):
                return refusal, difficulty
        if ask.kind is Kind.PHONE and not can_receive_sms(ask.subject, policy.sms_countries):
            return Denied(ProblemCode.COUNTRY_NOT_ALLOWED, field="phone"), difficulty
        if refusal := await spend_sign(tx, origin):
            return refusal, difficulty
        blocked = pumped and not ask.purpose.needs_captcha
        wait = HOUR // SECOND if blocked else await _charge(tx, ask, origin, keyring, policy, now)
        if wait:
            reason = f"{ask.purpose.value}:{'pumped' if blocked else 'not_sent'}"
            event = event_of(Tag.CODE_REFUSED, origin, now, subject=ask.subject, reason=reason)
            await append_refusal(tx, event, origin, keyring)
            return Denied(ProblemCode.TOO_MANY_REQUESTS, wait), difficulty
        reviewer = policy.test_number(ask.subject, now)
        ends = after(now, LIFETIME) if reviewer is None else min(after(now, LIFETIME), reviewer.until)
        mac = code_macs(keyring, key, reviewer.code if reviewer else code)[0]
        # A reviewer's too: the captcha it was sent with is good for its five tries.
        await tx.codes.put(CodeChallenge(key, mac, presented, now, ends))
        if reviewer is None:
            to, template = ask.subject, _TEMPLATES[ask.purpose]
            await tx.outbox.put(Message(channel_to(to), to, template, origin.language, now, code=code))
            await _note_sent(tx, ask, origin, traffic, policy, now)
        await tx.audit.append(event_of(Tag.CODE_SENT, origin, now, subject=ask.subject, reason=ask.purpose.value))
        return CodeSent(), difficulty

    outcome, difficulty = await store.write(work)
    if isinstance(outcome, Denied) and outcome.code in ASKS_FOR_CAPTCHA:
        challenge = captcha.challenge(app_id=origin.app.app_id, network=origin.network, difficulty=difficulty, now=now)
        return Denied(outcome.code, challenge=challenge.as_json())
    return outcome


async def _traffic(tx: WriteTx, ask: SendCode, policy: Policy, now: Instant) -> Traffic:
    """What went to the number's prefix yesterday and today; nothing for mail."""
    if ask.kind is not Kind.PHONE:
        return Traffic("", "", 0, 0)
    prefix = prefix_of(ask.subject)
    sent, verified = await tx.traffic.of_prefix(prefix, day_of(now) - 1)
    return Traffic(prefix, country_of(ask.subject, policy.sms_countries), sent, verified)


async def _note_sent(
    tx: WriteTx, ask: SendCode, origin: Origin, traffic: Traffic, policy: Policy, now: Instant
) -> None:
    if ask.kind is not Kind.PHONE:
        return
    await tx.traffic.count(traffic.prefix, traffic.country, day_of(now), sent=1)
    after_it = replace(traffic, sent=traffic.sent + 1)
    if is_worth_an_alarm(after_it, policy.limits):
        counts = f"{after_it.prefix}:{after_it.verified}/{after_it.sent}"
        await tx.audit.append(event_of(Tag.CODE_PREFIX_PUMPED, origin, now, reason=counts))


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
    return await _charge_budgets(tx, ask, origin, keyring, policy, now)


async def _charge_budgets(
    tx: WriteTx, ask: SendCode, origin: Origin, keyring: Keyring, policy: Policy, now: Instant
) -> int | None:
    budgets = budgets_of(ask, origin, policy)
    keys = [keyring.counter_key(Tally.CODE_BUDGET, name) for name, _ in budgets]
    counts = await tx.counters.hit([Hit(key, DAY, most) for key, (_, most) in zip(keys, budgets, strict=True)], now)
    charged = list(zip(keys, budgets, counts, strict=True))
    full = [count for _, (_, most), count in charged if count.tries > most]
    if full:
        # No message goes out: an app or a country that is flooded must not empty the budget of all.
        await tx.counters.forgive([key for key, (_, most), count in charged if count.tries <= most])
    for _, (name, most), count in charged:
        if count.tries == max(1, most // 2) and not full:
            await tx.audit.append(event_of(Tag.CODE_BUDGET_HALF, origin, now, reason=name))
        if count.tries == most + 1:
            await tx.audit.append(event_of(Tag.CODE_BUDGET_SPENT, origin, now, reason=name))
    return max((seconds_until(count.since + DAY, now) for count in full), default=None)


def budgets_of(ask: SendCode, origin: Origin, policy: Policy) -> list[tuple[str, int]]:
    """(name, codes a day) of every budget that a code is charged to: all, its app's own, its country's."""
    budgets = [("all", policy.limits.send_budget_per_day)]
    if origin.app.sms_per_day:
        budgets.append((f"app:{origin.app.app_id}", origin.app.sms_per_day))
    if ask.kind is Kind.PHONE:
        country = country_of(ask.subject, policy.sms_countries)
        budgets.append((f"country:{country}", policy.country_budget(country)))
    return budgets
